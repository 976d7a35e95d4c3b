// The stage of "Write on it": words are dragged, turned and resized on the image with mouse, finger and keyboard.
// The server draws; here only frames follow the hand, and the newest image replaces the last once it is decoded.
(() => {
  const TURN = 0.11;  // how far above a label its handle for turning stands, share of the stage's height
  let labels = [], square = {left: 0, top: 0, width: 1, height: 1}, active = 0, held = null, sent = 0, timer = null;

  const stage = () => document.querySelector('#typographic-stage .stage');
  const bridge = () => document.querySelector('#typographic-place textarea');
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const round = (value) => Math.round(value * 1e4) / 1e4;

  const send = (now) => {
    clearTimeout(timer);
    const wait = now ? 0 : Math.max(0, 60 - (Date.now() - sent));
    timer = setTimeout(() => {
      const area = bridge();
      timer = null;
      if (!area) return;
      sent = Date.now();
      const value = JSON.stringify(labels.map((one) => one.place));
      if (area.value === value) return;
      Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(area, value);
      area.dispatchEvent(new Event('input', {bubbles: true}));
    }, wait);
  };

  const middle = (place) => [
    square.left + place.x * square.width, square.top + place.y * square.height,
  ];

  // Frames of labels, by the corners that the server drew; while a hand moves one, by what the hand did.
  const draw = () => {
    const root = stage();
    if (!root) return;
    let layer = root.querySelector('svg');
    if (!layer) {
      layer = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
      layer.setAttribute('viewBox', '0 0 100 100');
      layer.setAttribute('preserveAspectRatio', 'none');
      layer.setAttribute('aria-hidden', 'true');
      root.append(layer);
    }
    const ends = (one) => one.corners.map(([x, y]) => `${100 * x},${100 * y}`).join(' ');
    layer.replaceChildren(...labels.map((one, at) => {
      const frame = document.createElementNS('http://www.w3.org/2000/svg', 'polygon');
      frame.setAttribute('points', ends(one));
      frame.setAttribute('class', at === active ? 'frame active' : 'frame');
      return frame;
    }));
    root.querySelectorAll('.handle').forEach((handle) => handle.remove());
    const one = labels[active];
    if (!one) return;
    const [ul, ur, lr] = one.corners;
    const above = [(ul[0] + ur[0]) / 2, (ul[1] + ur[1]) / 2];
    const [cx, cy] = middle(one.place);
    const far = Math.hypot(above[0] - cx, above[1] - cy) || 1;
    const turn = [above[0] + (above[0] - cx) / far * TURN, above[1] + (above[1] - cy) / far * TURN];
    for (const [kind, [x, y]] of [['size', lr], ['turn', turn]]) {
      const handle = document.createElement('span');
      handle.className = `handle ${kind}`;
      handle.style.left = `${clamp(100 * x, 0, 100)}%`;
      handle.style.top = `${clamp(100 * y, 0, 100)}%`;
      root.append(handle);
    }
  };

  const shift = (one, dx, dy) => {
    one.place.x = round(clamp(one.place.x + dx / square.width, -0.2, 1.2));
    one.place.y = round(clamp(one.place.y + dy / square.height, -0.2, 1.2));
    one.corners = one.corners.map(([x, y]) => [x + dx, y + dy]);
  };
  const scale = (one, factor) => {
    const size = clamp(one.place.size * factor, 0.02, 0.8), [cx, cy] = middle(one.place);
    factor = size / one.place.size;
    one.place.size = round(size);
    one.corners = one.corners.map(([x, y]) => [cx + (x - cx) * factor, cy + (y - cy) * factor]);
  };
  const rotate = (one, degrees) => {
    const root = stage().getBoundingClientRect(), [cx, cy] = middle(one.place), turn = -degrees * Math.PI / 180;
    one.place.angle = round((one.place.angle + degrees + 540) % 360 - 180);
    one.corners = one.corners.map(([x, y]) => {
      const dx = (x - cx) * root.width, dy = (y - cy) * root.height;
      return [cx + (dx * Math.cos(turn) - dy * Math.sin(turn)) / root.width,
              cy + (dx * Math.sin(turn) + dy * Math.cos(turn)) / root.height];
    });
  };

  const within = (corners, x, y) => {  // of a convex quadrangle
    const sides = corners.map(([ax, ay], at) => {
      const [bx, by] = corners[(at + 1) % 4];
      return (bx - ax) * (y - ay) - (by - ay) * (x - ax);
    });
    return sides.every((side) => side >= 0) || sides.every((side) => side <= 0);
  };
  const point = (event) => {
    const box = stage().getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };

  const down = (event) => {
    const [x, y] = point(event), handle = event.target.closest('.handle');
    if (!handle) {
      const hit = labels.findLastIndex((one) => within(one.corners, x, y));
      if (hit < 0) return;
      active = hit;
    }
    held = {kind: handle ? handle.classList[1] : 'move', x, y};
    stage().setPointerCapture(event.pointerId);
    event.preventDefault();
    stage().focus({preventScroll: true});
    draw();
  };
  const move = (event) => {
    const one = labels[active];
    if (!held || !one) return;
    const [x, y] = point(event), box = stage().getBoundingClientRect(), [cx, cy] = middle(one.place);
    const away = (px, py) => Math.hypot((px - cx) * box.width, (py - cy) * box.height);
    const angle = (px, py) => Math.atan2(-(py - cy) * box.height, (px - cx) * box.width) * 180 / Math.PI;
    if (held.kind === 'move') shift(one, x - held.x, y - held.y);
    else if (held.kind === 'size') scale(one, away(x, y) / Math.max(1, away(held.x, held.y)));
    else rotate(one, angle(x, y) - angle(held.x, held.y));
    Object.assign(held, {x, y});
    draw();
    send(false);
  };
  const up = () => {
    if (held) send(true);
    held = null;
  };
  const key = (event) => {
    const one = labels[active], step = event.shiftKey ? 0.05 : 0.01;
    const actions = {
      ArrowLeft: () => shift(one, -step, 0), ArrowRight: () => shift(one, step, 0),
      ArrowUp: () => shift(one, 0, -step), ArrowDown: () => shift(one, 0, step),
      '+': () => scale(one, 1.08), '-': () => scale(one, 1 / 1.08),
      '[': () => rotate(one, 5), ']': () => rotate(one, -5),
      PageDown: () => { active = (active + 1) % labels.length; },
    };
    if (!one || !actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
    draw();
    send(false);
  };

  // Whether an answer is about the places that the page has now, and no older ones.
  const current = (answered) => {
    let now = [];
    try { now = JSON.parse(bridge().value); } catch { return true; }
    return now.every((place, at) => !answered[at] || Object.entries(place).every(
      ([name, value]) => Math.abs(answered[at].place[name] - value) < 1e-3));
  };

  // The newest payload: its image is shown once decoded; frames follow unless a hand holds one.
  const take = async (image) => {
    const root = stage();
    if (!root || image.dataset.taken) return;
    image.dataset.taken = '1';
    const told = JSON.parse(image.dataset.stage);
    const next = new Image();
    next.src = image.src;
    await next.decode().catch(() => {});
    let shown = root.querySelector('img');
    if (!shown) {
      shown = document.createElement('img');
      shown.draggable = false;
      root.prepend(shown);
    }
    shown.src = next.src;
    shown.alt = image.alt;
    square = told.square;
    if (!held && !timer && current(told.labels)) {
      labels = told.labels;
      active = clamp(active, 0, Math.max(0, labels.length - 1));
    }
    draw();
  };

  const ready = () => {
    const root = stage();
    if (root && !root.dataset.ready) {
      root.dataset.ready = '1';
      root.addEventListener('pointerdown', down);
      root.addEventListener('pointermove', move);
      root.addEventListener('pointerup', up);
      root.addEventListener('pointercancel', up);
      root.addEventListener('keydown', key);
    }
    const area = bridge();
    if (area) area.tabIndex = -1;  // for the hand on the stage, which has keys of its own
    document.querySelectorAll('#typographic-payload img.written-image:not([data-taken])').forEach(take);
  };
  const watch = () => {
    ready();
    new MutationObserver(ready).observe(document.body, {childList: true, subtree: true, attributes: true, attributeFilter: ['src']});
  };
  if (document.body) watch();
  else document.addEventListener('DOMContentLoaded', watch);
})();
