// The tour: opens a step's view, types what the step asks there, and presses its button, so that the view shows the answer.
window.elements.each('#tour-open', (step) => {
  const {view, press, typed} = step.dataset;
  location.hash = view;
  const fill = () => { for (const [id, text] of Object.entries(JSON.parse(typed))) window.elements.type(id, text); };
  const begun = Date.now();
  const wait = setInterval(() => {
    const button = press && document.getElementById(press);
    if (Date.now() - begun > 10000 || (!press && document.querySelector(`#views [data-tab-id="${view}"][aria-selected=true]`))) clearInterval(wait);
    if (!button && press) return;
    clearInterval(wait);
    if (view === 'classify') { button.click(); setTimeout(fill, 800); } else { fill(); setTimeout(() => button && button.click(), 300); }
    document.getElementById('tour').scrollIntoView({block: 'start'});
  }, 100);
});
