// The slider over time: shows the samples of a step; Play walks through all of them.
{
  const frames = JSON.parse(document.getElementById("frames").textContent);
  const [shown, when, now, play] = ["frame", "when", "now", "play"].map((id) => document.getElementById(id));
  let timer = null;
  const show = () => {
    const frame = frames[when.value];
    if (frame.image) {
      shown.src = frame.image;
      shown.alt = `Samples after step ${frame.step}`;
    } else shown.textContent = frame.text;
    now.value = frame.step;
    when.setAttribute("aria-valuetext", `step ${frame.step}`);
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  };
  const next = () => {
    when.value = Number(when.value) + 1;
    show();
    if (when.value === when.max) stop();
  };
  when.addEventListener("input", () => { stop(); show(); });
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (when.value === when.max) when.value = 0;
    show();
    play.textContent = "Stop";
    timer = setInterval(next, 250);
  });
  document.getElementById("time").hidden = false;
}
