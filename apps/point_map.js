// Draws the points of a map on a canvas. A lasso, or one click, hands the numbers of the chosen points to the page.
// Under the pointer, and under the arrow keys, a point shows its name; Enter chooses it, or all points of a lasso's map.
// No library: those that draw with WebGL make functions from text, which this page's policy forbids.
(() => {
  const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#a08b00', '#7f7f7f', '#444c56'];  // Okabe and Ito's; the legend's in workbench.css
  const EDGE = 24, NEAR = 14;
  const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

  const draw = (canvas, path = []) => {
    const scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    const ink = getComputedStyle(canvas).color;
    const radius = canvas.points.length > 600 ? 3 : 4;
    canvas.places = canvas.points.map(([x, y]) => [EDGE + x * (width - 2 * EDGE), height - EDGE - y * (height - 2 * EDGE)]);
    canvas.points.forEach(([, , group, name, square], at) => {
      const [x, y] = canvas.places[at];
      pen.globalAlpha = canvas.chosen && !canvas.chosen.has(at) ? 0.2 : 0.9;
      pen.fillStyle = COLOURS[group % COLOURS.length];
      pen.beginPath();
      if (square) pen.rect(x - 4, y - 4, 8, 8); else pen.arc(x, y, radius, 0, 7);
      pen.fill();
      if (square) { pen.fillStyle = ink; pen.font = '12px system-ui'; pen.fillText(name, x + 7, y + 4); }
    });
    pen.globalAlpha = 1;
    pen.strokeStyle = ink;
    if (canvas.current >= 0) {
      const [x, y] = canvas.places[canvas.current];
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(x, y, radius + 4, 0, 7);
      pen.stroke();
      pen.lineWidth = 1;
    }
    if (path.length > 1) {
      pen.beginPath();
      path.forEach(([x, y], at) => at ? pen.lineTo(x, y) : pen.moveTo(x, y));
      pen.closePath();
      pen.stroke();
    }
  };

  const inside = ([x, y], path) => path.reduce((odd, [ax, ay], at) => {
    const [bx, by] = path[(at + 1) % path.length];
    return (ay > y) !== (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax ? !odd : odd;
  }, false);

  const nearest = (canvas, [x, y], far = NEAR) => canvas.places.reduce(([best, least], [px, py], at) => {
    const away = Math.hypot(px - x, py - y);
    return away < least ? [at, away] : [best, least];
  }, [-1, far])[0];

  const beside = (canvas, [dx, dy]) => {  // the next point in a direction: close, and not far off that direction
    if (canvas.current < 0) return nearest(canvas, [canvas.clientWidth / 2, canvas.clientHeight / 2], Infinity);
    const [x, y] = canvas.places[canvas.current];
    return canvas.places.reduce(([best, least], [px, py], at) => {
      const along = (px - x) * dx + (py - y) * dy, across = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      const cost = along + 2 * across;
      return at !== canvas.current && along > 0 && cost < least ? [at, cost] : [best, least];
    }, [canvas.current, Infinity])[0];
  };

  const name = (canvas, at) => {
    if (at === canvas.current) return;
    canvas.current = at;
    canvas.parentElement.querySelector('.map-name').textContent = at < 0 ? '\u00a0' : canvas.points[at][3];
    draw(canvas);
  };

  const give = (canvas, chosen) => {
    canvas.chosen = chosen.length ? new Set(chosen) : null;
    draw(canvas);
    const id = canvas.dataset.box;
    const box = document.querySelector(`#${id} textarea, #${id} input`);
    const proto = box instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(proto.prototype, 'value').set.call(box, chosen.join(',') + (canvas.dataset.choose === 'one' ? `;${Date.now()}` : ''));  // a second choice of one point is a change, too
    box.dispatchEvent(new Event('input', {bubbles: true}));
  };

  const ready = (canvas) => {
    canvas.points = JSON.parse(canvas.dataset.points);
    canvas.current = -1;
    const one = canvas.dataset.choose === 'one';
    draw(canvas);
    new ResizeObserver(() => draw(canvas)).observe(canvas);
    let path = null;
    const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    canvas.addEventListener('pointerdown', (event) => { if (!one) { path = [at(event)]; canvas.setPointerCapture(event.pointerId); } });
    canvas.addEventListener('pointermove', (event) => {
      if (path) { path.push(at(event)); draw(canvas, path); } else name(canvas, nearest(canvas, at(event)));
    });
    canvas.addEventListener('pointerup', (event) => {
      const lasso = path;
      path = null;
      if (lasso) give(canvas, canvas.places.flatMap((place, number) => inside(place, lasso) ? [number] : []));
      if (one) {
        const number = nearest(canvas, at(event), 2 * NEAR);
        name(canvas, number);
        if (number >= 0) give(canvas, [number]);
      }
    });
    canvas.addEventListener('keydown', (event) => {
      if (ARROWS[event.key]) { event.preventDefault(); name(canvas, beside(canvas, ARROWS[event.key])); }
      if (event.key === 'Enter' && one && canvas.current >= 0) give(canvas, [canvas.current]);
      if (event.key === 'Enter' && !one) give(canvas, canvas.points.map((_, number) => number));
      if (event.key === 'Escape' && !one) give(canvas, []);
    });
  };

  const look = () => document.querySelectorAll('canvas.map:not([data-ready])').forEach((canvas) => {
    canvas.dataset.ready = '1';
    ready(canvas);
  });
  const watch = () => { look(); new MutationObserver(look).observe(document.body, {childList: true, subtree: true}); };
  if (document.body) watch(); else document.addEventListener('DOMContentLoaded', watch);
})();
