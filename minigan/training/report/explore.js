// Sliders, a seed and a class: each change draws a sample on the canvas.
{
  const model = JSON.parse(document.getElementById("generator").textContent);
  const G = network(model);
  const [canvas, box, seed, chosen, drawn] = ["canvas", "sliders", "seed", "class", "drawn"].map((id) => document.getElementById(id));

  // Numbers of a seed, uniform in (0, 1): Mulberry32.
  const uniform = (state) => () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  const normal = (next) => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());

  const sliders = model.latents.map(({ name, most, index }) => {
    const label = document.createElement("label"), slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: -most, max: most, step: "any", value: 0 });
    slider.dataset.index = index;
    label.append(name, slider);
    box.append(label);
    return slider;
  });
  const inputs = () => {
    const found = Object.fromEntries(model.inputs.map(({ name, fixed }) => [name, fixed]));
    found.latents = new Float32Array(sliders.length);
    for (const slider of sliders) found.latents[slider.dataset.index] = slider.value;
    if (chosen) found.labels = [Number(chosen.value)];
    return found;
  };
  const paint = () => {
    const before = performance.now(), { shape, data } = G(inputs());
    const [, channels, height, width] = shape, plane = height * width;
    const image = new ImageData(width, height);
    for (let k = 0; k < plane; k++)
      for (let c = 0; c < 4; c++)
        image.data[4 * k + c] = c === 3 ? 255 : Math.round((data[(c % channels) * plane + k] + 1) * 127.5);
    canvas.getContext("2d").putImageData(image, 0, 0);
    drawn.textContent = `drawn in ${Math.round(performance.now() - before)} ms`;
  };
  const shake = () => {
    const next = uniform(Number(seed.value));
    for (const [i, slider] of sliders.entries()) {
      const { normal: bell, most } = model.latents[i];
      slider.value = bell ? normal(next) : most * (2 * next() - 1);
    }
    paint();
  };
  document.getElementById("new").addEventListener("click", () => { seed.value = (Number(seed.value) + 1) % 4294967296; shake(); });
  seed.addEventListener("change", shake);
  box.addEventListener("input", paint);
  chosen?.addEventListener("change", paint);
  window.minigan = { G, inputs, model };
  shake();
}
