// Time line, colours, numbers and curves of the page; the 3D model is model-viewer's.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const bytes = Uint8Array.from(atob(document.getElementById("model").textContent), c => c.charCodeAt(0));
const viewer = document.getElementById("viewer");
const slider = document.getElementById("slider");
const playButton = document.getElementById("play");
const words = data.words;

// --- the GLB's colours over time: its KHR_animation_pointer channels ---------------------

function colourTracks(glb) {
  const head = new DataView(glb.buffer);
  const length = head.getUint32(12, true);
  const told = JSON.parse(new TextDecoder().decode(glb.subarray(20, 20 + length)));
  const floats = (index, width) => {
    const accessor = told.accessors[index], view = told.bufferViews[accessor.bufferView];
    const start = 28 + length + (view.byteOffset || 0) + (accessor.byteOffset || 0);
    return new Float32Array(glb.buffer, start, accessor.count * width);
  };
  const tracks = [];
  for (const animation of told.animations || []) {
    for (const channel of animation.channels) {
      const pointer = channel.target.extensions?.KHR_animation_pointer?.pointer || "";
      const found = pointer.match(/^\/materials\/(\d+)\/pbrMetallicRoughness\/baseColorFactor$/);
      if (!found) continue;
      const sampler = animation.samplers[channel.sampler];
      tracks.push({ material: +found[1], time: floats(sampler.input, 1), colour: floats(sampler.output, 4) });
    }
  }
  return tracks;
}
const tracks = colourTracks(bytes);

// Index before `t` in ascending times, and the share of the way to the next.
function between(times, t) {
  let low = 0, high = times.length - 1;
  if (t >= times[high]) return [high, 0];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle] <= t) low = middle; else high = middle;
  }
  return [low, Math.max(0, (t - times[low]) / (times[low + 1] - times[low]))];
}
function mixed(a, b, share) {
  return share === 0 ? a : a === null || b === null ? null : a + (b - a) * share;
}

// --- what stands beside the model ---------------------------------------------------------

const number = v => v === null ? "–" : Number(v.toPrecision(3)).toString().replace("-", "−");
function scaleColour(value) {
  if (value === null) return data.no_data;
  const share = Math.min(1, Math.max(0, (value - data.low) / (data.high - data.low)));
  return data.stops[Math.round(share * (data.stops.length - 1))];
}
const strip = document.querySelector("#legend i");
strip.style.background = `linear-gradient(to top, ${data.stops.join(",")})`;
for (const share of [1, .75, .5, .25, 0]) {
  const item = document.createElement("li");
  item.textContent = number(data.low + share * (data.high - data.low));
  document.querySelector("#legend ol").append(item);
}

const cells = [];
function element(parent, tag, text) {
  const made = parent.appendChild(document.createElement(tag));
  if (text !== undefined) made.textContent = text;
  return made;
}
(function table() {
  const head = element(document.getElementById("numbers"), "thead");
  const top = element(head, "tr"), below = element(head, "tr");
  element(top, "th");
  element(below, "th", data.unit);
  const sides = [data.side, ...data.sides.filter(s => s !== data.side)];
  for (const side of sides) {
    const name = element(top, "th", words[side === "r" ? "right" : "left"]);
    name.colSpan = data.channels.length;
    for (const channel of data.channels) element(below, "th", channel);
  }
  const body = element(document.getElementById("numbers"), "tbody");
  for (const runner of data.runners) {
    const row = element(body, "tr");
    element(row, "th", runner.label).style.color = runner.colour;
    for (const side of sides) {
      for (const loads of runner.loads) {
        const cell = element(row, "td"), values = loads[data.sides.indexOf(side)];
        const swatch = element(cell, "span"), text = element(cell, "span");
        swatch.className = "swatch";
        cells.push({ runner, values, swatch, text });
      }
    }
  }
})();

const cursors = [];
(function curves() {
  const svg = (parent, tag, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return parent.appendChild(made);
  };
  const side = data.sides.indexOf(data.side);
  const y = v => 92 - 86 * (v - data.low) / (data.high - data.low);
  data.channels.forEach((name, c) => {
    const figure = element(document.getElementById("curves"), "figure");
    const leg = words[data.side === "r" ? "right" : "left"];
    element(figure, "figcaption", `${name}, ${leg} (${data.unit}, ${number(data.low)} … ${number(data.high)})`);
    const plot = svg(figure, "svg", { viewBox: "0 0 300 100", preserveAspectRatio: "none" });
    svg(plot, "path", { d: `M0 0V92H300${data.low < 0 ? `M0 ${y(0)}H300` : ""}`, fill: "none", stroke: "currentColor", "vector-effect": "non-scaling-stroke" });
    for (const runner of data.runners) {
      let path = "", pen = "M";
      runner.loads[c][side].forEach((value, k) => {
        if (value === null) { pen = "M"; return; }
        path += `${pen}${(300 * runner.time[k] / data.duration).toFixed(1)} ${y(value).toFixed(1)}`;
        pen = "L";
      });
      svg(plot, "path", { d: path, fill: "none", stroke: runner.colour, "stroke-width": 2.5, "vector-effect": "non-scaling-stroke" });
    }
    cursors.push(svg(plot, "path", { d: "M0 0V92", stroke: "currentColor", "stroke-width": 1.5, "vector-effect": "non-scaling-stroke" }));
    plot.addEventListener("pointermove", event => event.buttons && seek(event));
    plot.addEventListener("pointerdown", seek);
    function seek(event) {
      const box = plot.getBoundingClientRect();
      stop();
      show(data.duration * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
    }
  });
})();

// --- time ---------------------------------------------------------------------------------

let now = 0, playing = 0, loaded = false;
function show(t) {
  now = t;
  const share = data.duration > 0 ? t / data.duration : 0;
  slider.value = 1000 * share;
  document.getElementById("now").textContent = data.aligned
    ? `${Math.round(100 * share)} ${words.of_stride}` : `${(share * data.seconds).toFixed(2)} ${words.seconds}`;
  for (const cell of cells) {
    const [k, part] = between(cell.runner.time, t);
    const value = mixed(cell.values[k], cell.values[k + 1] ?? cell.values[k], part);
    cell.text.textContent = value === null ? "–" : value.toFixed(2);
    cell.swatch.style.background = scaleColour(value);
  }
  for (const cursor of cursors) cursor.setAttribute("transform", `translate(${300 * share} 0)`);
  if (!loaded) return;
  viewer.currentTime = Math.min(t, viewer.duration - 1e-4);
  for (const track of tracks) {
    const [k, part] = between(track.time, t), at = 4 * k, next = Math.min(at + 4, track.colour.length - 4);
    const colour = [0, 1, 2, 3].map(i => mixed(track.colour[at + i], track.colour[next + i], part));
    viewer.model.materials[track.material].pbrMetallicRoughness.setBaseColorFactor(colour);
  }
}
function stop() {
  cancelAnimationFrame(playing);
  playing = 0;
  playButton.textContent = words.play;
}
function start() {
  playButton.textContent = words.pause;
  let before = performance.now();
  const step = moment => {
    show((now + (moment - before) / 1000) % data.duration);
    before = moment;
    playing = requestAnimationFrame(step);
  };
  playing = requestAnimationFrame(step);
}
playButton.addEventListener("click", () => playing ? stop() : start());
slider.addEventListener("input", () => { stop(); show(data.duration * slider.value / 1000); });

// --- views --------------------------------------------------------------------------------

const FIELD = 25;  // degrees, height of the picture
function frame(turn, middle, across, up, deep, fall = 87) {
  const box = viewer.getBoundingClientRect();
  const half = 1.06 * Math.max(up, across * box.height / box.width);
  const radius = half / Math.tan(FIELD / 2 * Math.PI / 180) + deep;
  viewer.cameraTarget = middle.map(v => `${v.toFixed(4)}m`).join(" ");
  viewer.cameraOrbit = `${turn}deg ${fall}deg ${radius.toFixed(4)}m`;
  viewer.fieldOfView = `${FIELD}deg`;
}
function look(view) {
  const all = viewer.getDimensions(), at = viewer.getBoundingBoxCenter();
  const knees = data.knees, sideways = view === "sagittal";
  if (view === "knees" || view === "three_knees") return frame(0, knees.middle, knees.across, knees.up, knees.deep);
  if (view === "plateau") return frame(0, [at.x, at.y, at.z], all.x / 2, all.z / 2, all.y / 2, 0);
  const [across, deep] = sideways ? [all.z, all.x] : [all.x, all.z];
  frame({ sagittal: -90, posterior: 180 }[view] ?? 0, [at.x, at.y, at.z], across / 2, all.y / 2, deep / 2);
}
for (const button of document.querySelectorAll("#views button")) {
  button.addEventListener("click", () => look(button.dataset.view));
}
// A runner's name brings that runner's knees close.
for (const button of document.querySelectorAll(".label")) {
  const place = data.runners[button.dataset.runner].knees;
  button.addEventListener("click", () => frame(0, place.middle, place.across, place.up, place.deep));
}
show(0);
viewer.addEventListener("load", () => {
  viewer.pause();
  loaded = true;
  look(data.view);
  viewer.jumpCameraToGoal();
  // Where the first runner's load is largest there is most to see.
  const first = data.runners[0], side = data.sides.indexOf(data.side);
  const sums = first.time.map((_, k) => first.loads.reduce((sum, l) => sum + Math.abs(l[side][k] ?? 0), 0));
  show(first.time[sums.indexOf(Math.max(...sums))]);
  document.body.dataset.ready = "yes";
}, { once: true });
viewer.src = URL.createObjectURL(new Blob([bytes], { type: "model/gltf-binary" }));
