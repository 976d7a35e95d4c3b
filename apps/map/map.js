// Draws the points of a map on a canvas; a lasso, or Enter on the map, hands the numbers of the chosen points to the page.
// No library: those that draw with WebGL make functions from text, which this page's policy forbids.
(() => {
  const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#d55e00', '#56b4e9', '#a08b00', '#7f7f7f', '#444c56'];  // Okabe and Ito's; the legend's in workbench.css
  const EDGE = 24;

  const draw = (canvas, path = []) => {
    const scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    const ink = getComputedStyle(canvas).color;
    canvas.places = canvas.points.map(([x, y]) => [EDGE + x * (width - 2 * EDGE), height - EDGE - y * (height - 2 * EDGE)]);
    canvas.points.forEach(([, , group, text], at) => {
      const [x, y] = canvas.places[at];
      pen.globalAlpha = canvas.chosen && !canvas.chosen.has(at) ? 0.2 : 0.9;
      pen.fillStyle = COLOURS[group % COLOURS.length];
      pen.beginPath();
      if (text) pen.rect(x - 4, y - 4, 8, 8); else pen.arc(x, y, 4, 0, 7);
      pen.fill();
      if (text) { pen.fillStyle = ink; pen.font = '12px system-ui'; pen.fillText(text, x + 7, y + 4); }
    });
    pen.globalAlpha = 1;
    if (path.length > 1) {
      pen.strokeStyle = ink;
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

  const give = (canvas, chosen) => {
    canvas.chosen = chosen.length ? new Set(chosen) : null;
    draw(canvas);
    const box = document.querySelector('#map-chosen textarea, #map-chosen input');
    const proto = box instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(proto.prototype, 'value').set.call(box, chosen.join(','));
    box.dispatchEvent(new Event('input', {bubbles: true}));
  };

  const ready = (canvas) => {
    canvas.points = JSON.parse(canvas.dataset.points);
    draw(canvas);
    new ResizeObserver(() => draw(canvas)).observe(canvas);
    let path = null;
    const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    canvas.addEventListener('pointerdown', (event) => { path = [at(event)]; canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener('pointermove', (event) => { if (path) { path.push(at(event)); draw(canvas, path); } });
    canvas.addEventListener('pointerup', () => {
      const lasso = path;
      path = null;
      if (lasso) give(canvas, canvas.places.flatMap((place, number) => inside(place, lasso) ? [number] : []));
    });
    canvas.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') give(canvas, canvas.points.map((_, number) => number));
      if (event.key === 'Escape') give(canvas, []);
    });
  };

  const look = () => document.querySelectorAll('canvas.map:not([data-ready])').forEach((canvas) => {
    canvas.dataset.ready = '1';
    ready(canvas);
  });
  const watch = () => { look(); new MutationObserver(look).observe(document.body, {childList: true, subtree: true}); };
  if (document.body) watch(); else document.addEventListener('DOMContentLoaded', watch);
})();
