// Draws the points of a map with WebGL, or on a 2D canvas where there is none; pan, zoom and a lasso, by hand or by keys.
// No library: those that draw with WebGL make functions from text, which this page's policy forbids.
(() => {
  const {COLOURS, each, type} = window.elements;
  const EDGE = 24, NEAREST = 400, FAINT = 0.12, REACH = 12, THUMB = 28;  // pixels, times, part of full colour, pixels, pixels
  const SLOW = 40, REST = 150, FEWEST = 4000;  // milliseconds between two frames, and after the last move; points in motion
  const VERTEX = `
    attribute vec2 place; attribute float group; attribute float bright;
    uniform vec2 centre, scale; uniform float size; uniform vec3 colours[9];
    varying vec4 colour;
    void main() {
      gl_Position = vec4((place - centre) * scale, 0.0, 1.0);
      gl_PointSize = size;
      colour = vec4(colours[int(group + 0.5)], bright);
    }`;
  const FRAGMENT = `
    precision mediump float; varying vec4 colour;
    void main() {
      float away = length(gl_PointCoord - 0.5);
      if (away > 0.5) discard;
      gl_FragColor = vec4(colour.rgb * colour.a, colour.a);
    }`;

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const number = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);

  // The order in which points are drawn: any beginning of it is spread over all of them, for frames that must be quick.
  const spread = (count) => {
    const shared = (a, b) => b ? shared(b, a % b) : a;
    let step = Math.max(1, Math.round(count * 0.618));
    while (shared(count, step) > 1) step--;
    return Uint32Array.from({length: count}, (_, at) => at * step % count);
  };

  const pictures = (addresses) => Object.entries(addresses).map(([at, address]) => {
    const image = new Image();
    image.src = address;
    return [+at, image];
  });

  // Points as the page sends them: 16-bit places, x and y in turn, one byte for the group, names of texts by number,
  // and of a small map the names of all.
  const read = (data) => {
    const raw = new Uint16Array(bytes(data.places).buffer), places = new Float32Array(raw.length);
    for (let at = 0; at < raw.length; at++) places[at] = raw[at] / 65535;
    return {places, groups: bytes(data.groups), texts: JSON.parse(data.texts), names: JSON.parse(data.names), thumbs: pictures(JSON.parse(data.thumbs)), labels: JSON.parse(data.labels), count: raw.length / 2, order: spread(raw.length / 2)};
  };

  // One frame of WebGL: two buffers that stay on the device, and a third that changes with the lasso.
  const webgl = (canvas, map) => {
    const gl = canvas.getContext('webgl', {antialias: false, premultipliedAlpha: true});
    if (!gl) return null;
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
    gl.useProgram(program);
    const fill = (name, values, each, kind, normal) => {
      const place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, each, kind, normal, 0, 0);
    };
    const ordered = (values) => Uint8Array.from(map.order, (at) => values[at]);
    fill('place', Float32Array.from({length: 2 * map.count}, (_, at) => map.places[2 * map.order[at >> 1] + (at & 1)]), 2, gl.FLOAT, false);
    fill('group', ordered(map.groups), 1, gl.UNSIGNED_BYTE, false);
    fill('bright', ordered(map.bright), 1, gl.UNSIGNED_BYTE, true);  // bound last: the lasso changes it
    gl.uniform3fv(gl.getUniformLocation(program, 'colours'), COLOURS.flatMap(number));
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const [centre, scale, size] = ['centre', 'scale', 'size'].map((name) => gl.getUniformLocation(program, name));
    let shown = map.bright;
    return (view, {width, height, ratio}, count) => {
      if (shown !== map.bright) { gl.bufferData(gl.ARRAY_BUFFER, ordered(map.bright), gl.DYNAMIC_DRAW); shown = map.bright; }
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.uniform2f(centre, view.x, view.y);
      gl.uniform2f(scale, 2 * view.zoom * (1 - 2 * EDGE / width), 2 * view.zoom * (1 - 2 * EDGE / height));
      gl.uniform1f(size, map.size * ratio);
      gl.drawArrays(gl.POINTS, 0, count);
    };
  };

  const flat = (canvas, map) => (view, {width, height, ratio}, count) => {
    const pen = canvas.getContext('2d'), half = map.size / 2;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    COLOURS.forEach((colour, group) => {
      pen.fillStyle = colour;
      for (const at of map.order.subarray(0, count)) {
        if (map.groups[at] !== group) continue;
        const [x, y] = spot(map, view, at, width, height);
        pen.globalAlpha = map.bright[at] / 255;
        pen.fillRect(x - half, y - half, map.size, map.size);
      }
    });
  };

  const spot = (map, view, at, width, height) => [
    width / 2 + (map.places[2 * at] - view.x) * view.zoom * (width - 2 * EDGE),
    height / 2 - (map.places[2 * at + 1] - view.y) * view.zoom * (height - 2 * EDGE),
  ];

  // The point that is nearest to a place, within reach; -1 where there is none.
  const nearest = (map, view, [x, y], {width, height}) => {
    let best = -1, least = REACH;
    for (let at = 0; at < map.count; at++) {
      const [px, py] = spot(map, view, at, width, height), away = Math.hypot(px - x, py - y);
      if (away < least) [best, least] = [at, away];
    }
    return best;
  };

  // Of a map with too many points to send all images, the server sends that of the point under the pointer.
  let hovered = {at: -1}, redraw = () => {}, asking = null;
  const askFor = (map, at) => {
    clearTimeout(asking);
    if (at >= 0 && !map.thumbs.length) asking = setTimeout(() => type('map-near', String(at)), REST);
  };
  each('#map-near-image img', (image) => {
    hovered = {at: +image.dataset.at, image};
    image.decode().then(() => redraw());
  });

  // The name of a cluster, readable over whatever lies there.
  const label = (pen, name, ink, [x, y]) => {
    pen.lineWidth = 4;
    pen.strokeStyle = getComputedStyle(pen.canvas).getPropertyValue('--background-fill-primary');
    pen.strokeText(name, x, y);
    pen.lineWidth = 1;
    pen.fillStyle = ink;
    pen.fillText(name, x, y);
  };

  // What lies over the points: squares and names of texts, the name of the point under the pointer, and the lasso.
  const over = (pen, map, view, {width, height, ratio, path, near}) => {
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const ink = getComputedStyle(pen.canvas).color;
    pen.font = '12px system-ui';
    const side = Math.min(THUMB * Math.sqrt(view.zoom), 2 * THUMB);
    for (const [at, image] of map.thumbs) {
      const [x, y] = spot(map, view, at, width, height);
      pen.globalAlpha = map.bright[at] / 255;
      pen.fillStyle = COLOURS[map.groups[at]];
      pen.fillRect(x - side / 2 - 2, y - side / 2 - 2, side + 4, side + 4);
      if (image.complete && image.naturalWidth) pen.drawImage(image, x - side / 2, y - side / 2, side, side);
    }
    for (const [at, name] of Object.entries(map.texts)) {
      const [x, y] = spot(map, view, +at, width, height);
      pen.globalAlpha = map.bright[at] / 255;
      pen.fillStyle = COLOURS[map.groups[at]];
      pen.fillRect(x - 4, y - 4, 8, 8);
      pen.fillStyle = ink;
      pen.fillText(name, x + 7, y + 4);
    }
    pen.globalAlpha = 1;
    if (near >= 0 && near === hovered.at && !map.thumbs.length) {
      const [x, y] = spot(map, view, near, width, height), left = Math.min(Math.max(x - THUMB, 2), width - 2 * THUMB - 2);
      pen.fillStyle = COLOURS[map.groups[near]];
      pen.fillRect(left - 2, Math.max(0, y - 2 * THUMB - 14), 2 * THUMB + 4, 2 * THUMB + 4);
      pen.drawImage(hovered.image, left, Math.max(2, y - 2 * THUMB - 12), 2 * THUMB, 2 * THUMB);
    }
    pen.font = 'bold 14px system-ui';
    pen.textAlign = 'center';
    for (const [x, y, name] of map.labels) label(pen, name, ink, spot({places: [x, y]}, view, 0, width, height));
    pen.textAlign = 'left';
    pen.font = '12px system-ui';
    if (near in map.names && !(near in map.texts)) {
      const name = map.names[near], [x, y] = spot(map, view, near, width, height), wide = pen.measureText(name).width;
      const left = Math.max(4, Math.min(x + 7, width - wide - 8));
      pen.fillStyle = ink;
      pen.fillRect(left - 4, Math.max(0, y - 24), wide + 8, 18);
      pen.fillStyle = getComputedStyle(pen.canvas).getPropertyValue('--background-fill-primary');
      pen.fillText(name, left, Math.max(0, y - 24) + 13);
    }
    if (path.length < 2) return;
    pen.strokeStyle = ink;
    pen.beginPath();
    path.forEach(([x, y], at) => at ? pen.lineTo(x, y) : pen.moveTo(x, y));
    pen.closePath();
    pen.stroke();
  };

  const inside = ([x, y], path) => path.reduce((odd, [ax, ay], at) => {
    const [bx, by] = path[(at + 1) % path.length];
    return (ay > y) !== (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax ? !odd : odd;
  }, false);

  const lassoed = (map, view, path, {width, height}) => {
    const [xs, ys] = [0, 1].map((axis) => path.map((one) => one[axis]));
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const chosen = [];
    for (let at = 0; at < map.count; at++) {
      const place = spot(map, view, at, width, height), [x, y] = place;
      if (x >= left && x <= right && y >= top && y <= bottom && inside(place, path)) chosen.push(at);
    }
    return chosen;
  };

  const give = (map, chosen) => {
    map.bright = new Uint8Array(map.count).fill(chosen.length ? 255 * FAINT : 230);
    for (const at of chosen) map.bright[at] = 230;
    type('map-chosen', chosen.join(','));
  };

  const ready = (canvas) => {
    const map = read(canvas.dataset), whole = {x: 0.5, y: 0.5, zoom: 1}, view = {...whole};
    map.bright = new Uint8Array(map.count).fill(230);
    map.size = map.count < 2000 ? 8 : map.count < 20000 ? 5 : 3;
    for (const [, image] of map.thumbs) image.onload = () => draw();
    const glass = canvas.nextElementSibling, pen = glass.getContext('2d');
    let paint = webgl(canvas, map) || flat(canvas, map), path = [], held = null, due = 0, near = -1;
    let most = map.count, moved = -REST, last = 0;  // points in motion; times of the last move and frame
    const size = () => ({width: canvas.clientWidth, height: canvas.clientHeight, ratio: window.devicePixelRatio || 1});
    const frame = (now) => {
      due = 0;
      const moving = now - moved < REST, {width, height, ratio} = size();
      if (!width) return;
      for (const one of [canvas, glass]) {
        if (one.width !== Math.round(width * ratio)) one.width = Math.round(width * ratio);
        if (one.height !== Math.round(height * ratio)) one.height = Math.round(height * ratio);
      }
      if (moving && now - last < REST) {
        most = Math.min(map.count, Math.max(FEWEST, now - last > SLOW ? most * 0.6 : most * 1.1)) | 0;
      }
      last = now;
      paint(view, {width, height, ratio}, moving ? most : map.count);
      if (moving && most < map.count) setTimeout(draw, REST);
      over(pen, map, view, {width, height, ratio, path, near});
      canvas.dataset.frames = +(canvas.dataset.frames || 0) + 1;
    };
    const draw = () => { due = due || requestAnimationFrame(frame); };
    const move = (across, down) => {
      const {width, height} = size();
      view.x = Math.min(1, Math.max(0, view.x - across / view.zoom / (width - 2 * EDGE)));
      view.y = Math.min(1, Math.max(0, view.y + down / view.zoom / (height - 2 * EDGE)));
      moved = performance.now();
      draw();
    };
    const zoom = (factor, x = 0, y = 0) => {  // the point x, y from the middle stays where it is
      const before = view.zoom;
      view.zoom = Math.min(NEAREST, Math.max(1, before * factor));
      move(x * (1 - view.zoom / before), y * (1 - view.zoom / before));
      if (view.zoom === 1) Object.assign(view, whole);
    };
    const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    const mode = () => canvas.parentElement.querySelector('[data-map=move]').getAttribute('aria-pressed') === 'true';
    const end = (chosen) => { path = []; held = null; if (chosen) give(map, chosen); draw(); };
    const fingers = new Map();  // where each one that is down was last seen
    const pinch = () => {
      const [[ax, ay], [bx, by]] = fingers.values(), {width, height} = size();
      return {x: (ax + bx - width) / 2, y: (ay + by - height) / 2, apart: Math.max(1, Math.hypot(ax - bx, ay - by))};
    };
    const point = (other) => { if (other !== near) { near = other; canvas.dataset.near = map.names[near] || ''; askFor(map, near); draw(); } };
    redraw = () => draw();
    canvas.addEventListener('pointerdown', (event) => {
      point(nearest(map, view, at(event), size()));
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, at(event));
      held = fingers.size === 1 ? at(event) : null;  // a second finger ends a lasso
      path = !held || mode() || event.shiftKey || event.button === 1 ? [] : [held];
    });
    canvas.addEventListener('pointermove', (event) => {
      if (fingers.has(event.pointerId) && fingers.size === 2) {  // what is under the fingers stays under them
        const before = pinch(), now = fingers.set(event.pointerId, at(event)) && pinch();
        move(now.x - before.x, now.y - before.y);
        zoom(now.apart / before.apart, now.x, now.y);
      }
      if (!held) { point(nearest(map, view, at(event), size())); return; }
      const way = (event.getCoalescedEvents?.() ?? [event]).map(at), now = way.at(-1) || at(event);
      if (path.length) { path.push(...way); draw(); } else { move(now[0] - held[0], now[1] - held[1]); held = now; }
    });
    for (const name of ['pointerup', 'pointercancel']) canvas.addEventListener(name, (event) => fingers.delete(event.pointerId));
    canvas.addEventListener('pointerup', () => end(path.length && lassoed(map, view, path, size())));
    canvas.addEventListener('pointercancel', () => end(null));
    canvas.addEventListener('pointerleave', (event) => { if (event.pointerType !== 'touch') point(-1); });
    canvas.addEventListener('wheel', (event) => {  // a page that is read past the map still scrolls
      if (document.activeElement !== canvas && !event.ctrlKey) return;
      event.preventDefault();
      const [x, y] = at(event), {width, height} = size();
      zoom(Math.exp(-event.deltaY / 300), x - width / 2, y - height / 2);
    }, {passive: false});
    const keys = {
      'Enter': () => end([...Array(map.count).keys()]), 'Escape': () => end([]),
      '+': () => zoom(1.5), '-': () => zoom(1 / 1.5), '0': () => { Object.assign(view, whole); draw(); },
      'ArrowLeft': () => move(60, 0), 'ArrowRight': () => move(-60, 0), 'ArrowUp': () => move(0, 60), 'ArrowDown': () => move(0, -60),
    };
    canvas.addEventListener('keydown', (event) => { if (keys[event.key]) { event.preventDefault(); keys[event.key](); } });
    canvas.parentElement.querySelectorAll('[data-map]').forEach((button) => button.addEventListener('click', () => {
      if (button.dataset.map !== 'move') { keys[button.dataset.map](); return; }
      button.setAttribute('aria-pressed', String(!mode()));
    }));
    canvas.addEventListener('webglcontextlost', (event) => event.preventDefault());
    canvas.addEventListener('webglcontextrestored', () => { paint = webgl(canvas, map) || paint; draw(); });
    new ResizeObserver(draw).observe(canvas);
  };

  each('canvas.map', ready);
})();
