/** The map: points on a canvas with zoom, pan, hover and choice of a cluster. */
export const mapScript = `
function pointMap(section, { clusters, map }, chosen) {
  const figure = section.querySelector('[data-map]');
  const canvas = figure.querySelector('canvas');
  const tip = figure.querySelector('[data-tip]');
  const context = canvas.getContext('2d');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  let printing = false;
  let width = 0, height = 0;
  /** Screen = map * scale + (x, y); scale is fit * zoom. */
  let fit = 1, zoom = 1, x = 0, y = 0;
  let hover = -1;
  let queued = false;

  const colorOf = new Map();
  const nameOf = new Map();
  const paint = () => {
    const night = dark.matches && !printing;
    for (const [cluster, name, , hue, tone] of clusters) {
      colorOf.set(cluster, 'oklch(' + ((night ? 0.72 : 0.62) + tone) + ' ' + (night ? 0.14 : 0.16) + ' ' + hue + ')');
      nameOf.set(cluster, name);
    }
    colorOf.set(-1, night ? '#5b5f68' : '#b4b7bd');
  };

  const members = new Map([[-1, []]]);
  for (const [cluster] of clusters) members.set(cluster, []);
  for (let index = 0; index < map.c.length; index++) (members.get(map.c[index]) ?? members.get(-1)).push(index);
  // Small clusters are painted last, so that big ones do not bury them.
  const order = [-1, ...clusters.map(([cluster]) => cluster)];
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const anchors = clusters
    .map(([cluster, name, size]) => {
      const points = members.get(cluster);
      if (points.length === 0) return null;
      return { cluster, name: shorten(name), size, x: median(points.map((p) => map.x[p])), y: median(points.map((p) => map.y[p])) };
    })
    .filter(Boolean);

  // Points by cells of a grid, so that the one under the pointer is found without a look at all of them.
  const cells = 96;
  const cellSize = Math.max(map.w, map.h) / cells + 1e-9;
  const grid = new Map();
  for (let index = 0; index < map.x.length; index++) {
    const key = Math.floor(map.x[index] / cellSize) * 1000 + Math.floor(map.y[index] / cellSize);
    const cell = grid.get(key);
    if (cell) cell.push(index);
    else grid.set(key, [index]);
  }

  function shorten(name) {
    return name.length > 30 ? name.slice(0, 29).trimEnd() + '…' : name;
  }
  const scale = () => fit * zoom;
  const radius = () => {
    const base = map.x.length > 20000 ? 1.3 : map.x.length > 6000 ? 1.9 : map.x.length > 1500 ? 2.6 : 3.6;
    return Math.min(7, base * Math.sqrt(Math.sqrt(zoom)) * (width < 500 ? 0.8 : 1));
  };

  function whole() {
    const pad = 28;
    fit = Math.min((width - 2 * pad) / Math.max(1, map.w), (height - 2 * pad) / Math.max(1, map.h));
    zoom = 1;
    x = (width - map.w * fit) / 2;
    y = (height - map.h * fit) / 2;
    canvas.classList.remove('zoomed');
  }

  function zoomAt(factor, px, py) {
    const next = Math.min(60, Math.max(1, zoom * factor));
    if (next === 1) { whole(); return draw(); }
    x = px - ((px - x) * next) / zoom;
    y = py - ((py - y) * next) / zoom;
    zoom = next;
    keep();
    canvas.classList.toggle('zoomed', zoom > 1);
    draw();
  }

  /** Some of the map stays in view, however far it is dragged. */
  function keep() {
    const w = map.w * scale(), h = map.h * scale();
    x = Math.min(width * 0.8, Math.max(width * 0.2 - w, x));
    y = Math.min(height * 0.8, Math.max(height * 0.2 - h, y));
  }

  function draw() {
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => { queued = false; render(); });
  }

  function dots(points, r) {
    const s = scale();
    context.beginPath();
    for (const point of points) {
      const px = map.x[point] * s + x, py = map.y[point] * s + y;
      if (px < -r || py < -r || px > width + r || py > height + r) continue;
      context.moveTo(px + r, py);
      context.arc(px, py, r, 0, 6.2832);
    }
    context.fill();
  }

  function render() {
    const style = getComputedStyle(document.documentElement);
    const ink = printing ? '#000' : style.getPropertyValue('--text');
    const ground = printing ? '#fff' : style.getPropertyValue('--card');
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, width, height);
    const r = radius();
    const selected = chosen.value;
    for (const cluster of order) {
      if (cluster === selected) continue;
      context.fillStyle = colorOf.get(cluster);
      context.globalAlpha = selected === null ? 0.62 : 0.1;
      dots(members.get(cluster), r);
    }
    if (selected !== null && members.has(selected)) {
      context.fillStyle = colorOf.get(selected);
      context.globalAlpha = 0.95;
      dots(members.get(selected), r * 1.35);
    }
    context.globalAlpha = 1;
    labels(ink, ground, selected);
    if (hover >= 0) {
      context.beginPath();
      context.arc(map.x[hover] * scale() + x, map.y[hover] * scale() + y, r + 3, 0, 6.2832);
      context.strokeStyle = ink;
      context.lineWidth = 2;
      context.stroke();
    }
  }

  /** Names at the middle of their clusters, the largest first, none over another. */
  function labels(ink, ground, selected) {
    const size = width < 500 ? 11 : 12;
    context.font = '600 ' + size + 'px system-ui, sans-serif';
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    const taken = [];
    const limit = Math.min(60, Math.round((width < 500 ? 6 : 14) * zoom));
    const list = selected === null ? anchors : anchors.filter(({ cluster }) => cluster === selected);
    for (const { name, x: ax, y: ay } of list) {
      if (taken.length >= limit) break;
      const half = context.measureText(name).width / 2 + 5;
      const px = ax * scale() + x, py = ay * scale() + y;
      if (px - half < 4 || px + half > width - 4 || py < 12 || py > height - 12) {
        if (selected === null) continue;
      }
      if (px + half > width - 54 && py < 132) continue;
      const box = [px - half, py - size, px + half, py + size];
      if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) continue;
      taken.push(box);
      context.strokeStyle = ground;
      context.globalAlpha = 0.9;
      context.lineWidth = 4;
      context.strokeText(name, px, py);
      context.globalAlpha = 1;
      context.fillStyle = ink;
      context.fillText(name, px, py);
    }
  }

  function nearest(px, py) {
    const s = scale();
    const reach = Math.max(9, radius() + 4);
    const mx = (px - x) / s, my = (py - y) / s, mr = reach / s;
    let best = -1, distance = mr * mr;
    for (let cx = Math.floor((mx - mr) / cellSize); cx <= Math.floor((mx + mr) / cellSize); cx++)
      for (let cy = Math.floor((my - mr) / cellSize); cy <= Math.floor((my + mr) / cellSize); cy++)
        for (const point of grid.get(cx * 1000 + cy) ?? []) {
          if (chosen.value !== null && map.c[point] !== chosen.value) continue;
          const d = (map.x[point] - mx) ** 2 + (map.y[point] - my) ** 2;
          if (d < distance) { best = point; distance = d; }
        }
    return best;
  }

  function point(next, px, py) {
    if (next !== hover) {
      hover = next;
      draw();
      if (hover >= 0) {
        const line = document.createElement('span');
        line.dir = 'auto';
        line.textContent = map.t[hover];
        const name = document.createElement('b');
        name.dir = 'auto';
        name.textContent = nameOf.get(map.c[hover]) ?? 'In no cluster';
        tip.replaceChildren(line, name);
      }
    }
    tip.hidden = hover < 0;
    if (hover < 0) return;
    const w = tip.offsetWidth, h = tip.offsetHeight;
    const left = px + 16 + w > width ? px - 16 - w : px + 16;
    tip.style.transform = 'translate(' + Math.max(6, Math.min(width - w - 6, left)) + 'px,' + Math.max(6, Math.min(height - h - 6, py + 16)) + 'px)';
  }

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const fingers = new Map();
  let moved = 0;
  canvas.addEventListener('pointerdown', (event) => {
    fingers.set(event.pointerId, place(event));
    moved = 0;
    if (zoom > 1 || event.pointerType === 'mouse') canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    const [px, py] = place(event);
    const before = fingers.get(event.pointerId);
    if (!before) return point(nearest(px, py), px, py);
    moved += Math.abs(px - before[0]) + Math.abs(py - before[1]);
    if (fingers.size === 2) {
      const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const ratio = Math.hypot(px - other[0], py - other[1]) / Math.max(1, Math.hypot(before[0] - other[0], before[1] - other[1]));
      fingers.set(event.pointerId, [px, py]);
      return zoomAt(ratio, (px + other[0]) / 2, (py + other[1]) / 2);
    }
    fingers.set(event.pointerId, [px, py]);
    if (moved < 5 || (zoom === 1 && event.pointerType !== 'mouse')) return;
    canvas.classList.add('dragging');
    x += px - before[0];
    y += py - before[1];
    point(-1);
    keep();
    draw();
  });
  const lift = (event) => {
    const was = fingers.delete(event.pointerId);
    canvas.classList.remove('dragging');
    return was;
  };
  canvas.addEventListener('pointerup', (event) => {
    if (!lift(event) || moved >= 5) return;
    const [px, py] = place(event);
    const under = nearest(px, py);
    if (event.pointerType !== 'mouse') point(under, px, py);
    if (under >= 0 && map.c[under] >= 0) chosen.toggle(map.c[under]);
    else if (chosen.value !== null) chosen.set(null);
  });
  canvas.addEventListener('pointercancel', lift);
  canvas.addEventListener('pointerleave', () => point(-1));
  // The wheel belongs to the page until the map is in use: it zooms with Ctrl, or once the map has the focus.
  canvas.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== canvas) return;
    event.preventDefault();
    zoomAt(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), ...place(event));
  }, { passive: false });
  canvas.addEventListener('dblclick', (event) => zoomAt(2, ...place(event)));
  canvas.addEventListener('keydown', (event) => {
    const steps = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    if (steps[event.key]) { x += steps[event.key][0]; y += steps[event.key][1]; keep(); draw(); }
    else if (event.key === '+' || event.key === '=') zoomAt(1.5, width / 2, height / 2);
    else if (event.key === '-') zoomAt(1 / 1.5, width / 2, height / 2);
    else if (event.key === '0' || event.key === 'Home') { whole(); draw(); }
    else if (event.key === 'Escape') chosen.set(null);
    else return;
    event.preventDefault();
  });
  figure.addEventListener('click', (event) => {
    const action = event.target.closest('[data-zoom]')?.dataset.zoom;
    if (action === 'in') zoomAt(1.6, width / 2, height / 2);
    else if (action === 'out') zoomAt(1 / 1.6, width / 2, height / 2);
    else if (action === 'reset') { whole(); draw(); }
  });

  chosen.on(() => { point(-1); draw(); });
  dark.addEventListener('change', () => { paint(); draw(); });
  const print = (state) => () => { printing = state; paint(); render(); };
  addEventListener('beforeprint', print(true));
  addEventListener('afterprint', print(false));
  const resize = () => {
    const box = canvas.getBoundingClientRect();
    if (box.width === 0 || (box.width === width && box.height === height)) return;
    width = box.width;
    height = box.height;
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    whole();
    render();
  };
  paint();
  new ResizeObserver(resize).observe(canvas);
  resize();
}`;
