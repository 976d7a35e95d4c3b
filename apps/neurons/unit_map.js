// Draws units as points on a canvas. Under the pointer, and under the arrow keys, a unit shows its name; a click, or Enter,
// hands its number to the page.
(() => {
  const {COLOURS, each, type} = window.elements;
  const EDGE = 24, NEAR = 14, RADIUS = 3;
  const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

  const draw = (canvas) => {
    const scale = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = width * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    canvas.places = canvas.points.map(([x, y]) => [EDGE + x * (width - 2 * EDGE), height - EDGE - y * (height - 2 * EDGE)]);
    pen.globalAlpha = 0.9;
    canvas.points.forEach(([, , group], at) => {
      pen.fillStyle = COLOURS[group % COLOURS.length];
      pen.beginPath();
      pen.arc(...canvas.places[at], RADIUS, 0, 7);
      pen.fill();
    });
    if (canvas.current < 0) return;
    pen.strokeStyle = getComputedStyle(canvas).color;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(...canvas.places[canvas.current], RADIUS + 4, 0, 7);
    pen.stroke();
  };

  const nearest = (canvas, [x, y], far) => canvas.places.reduce(([best, least], [px, py], at) => {
    const away = Math.hypot(px - x, py - y);
    return away < least ? [at, away] : [best, least];
  }, [-1, far])[0];

  const beside = (canvas, [dx, dy]) => {  // the next unit in a direction: close, and not far off that direction
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

  const give = (canvas) => {
    if (canvas.current < 0) return;
    type(canvas.dataset.box, `${canvas.current};${Date.now()}`);  // a second choice of one unit is a change, too
  };

  const ready = (canvas) => {
    canvas.points = JSON.parse(canvas.dataset.points);
    canvas.current = -1;
    draw(canvas);
    new ResizeObserver(() => draw(canvas)).observe(canvas);
    const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    canvas.addEventListener('pointermove', (event) => name(canvas, nearest(canvas, at(event), NEAR)));
    canvas.addEventListener('click', (event) => { name(canvas, nearest(canvas, at(event), 2 * NEAR)); give(canvas); });
    canvas.addEventListener('keydown', (event) => {
      if (ARROWS[event.key]) { event.preventDefault(); name(canvas, beside(canvas, ARROWS[event.key])); }
      if (event.key === 'Enter') give(canvas);
    });
  };

  each('canvas.unit-map', ready);
})();
