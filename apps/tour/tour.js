// The tour: opens a step's view, types what the step asks there, and presses its button, so that the view shows the answer.
window.elements.each('#tour-open', (step) => {
  const {view, press, typed} = step.dataset;
  location.hash = view;
  const fill = () => {
    for (const [id, text] of Object.entries(JSON.parse(typed))) {
      if (document.querySelector(`#${id} textarea, #${id} input`)?.value !== text) window.elements.type(id, text);
    }
  };
  const begun = Date.now();
  const wait = setInterval(() => {
    const button = press && document.getElementById(press);
    if (Date.now() - begun > 10000 || (!press && document.querySelector(`#views [data-tab-id="${view}"][aria-selected=true]`))) clearInterval(wait);
    if (!button && press) return;
    clearInterval(wait);
    if (view === 'classify') {  // its examples bring labels, which the step's replace
      button.click();
      const asked = setInterval(fill, 700), end = () => clearInterval(asked);
      setTimeout(end, 20000);
      document.addEventListener('keydown', end, {once: true});
      document.getElementById('tour-next').addEventListener('click', end, {once: true});
    } else { fill(); setTimeout(() => button && button.click(), 300); }
    document.getElementById('tour').scrollIntoView({block: 'start'});
  }, 100);
});
