// Plotly draws a chart as layered SVGs without a description: the first becomes an image with the alt text that its
// layout carries (`meta.alt`), or with the label of its block; the layers above it are not read out.
(() => {
  const describe = () => document.querySelectorAll('.js-plotly-plot').forEach((plot) => {
    const [chart, ...layers] = plot.querySelectorAll('.main-svg');
    if (!chart) return;
    const label = plot.closest('.block')?.querySelector('label')?.textContent.trim();
    const alt = plot.layout?.meta?.alt || label || 'Chart';
    if (chart.getAttribute('aria-label') !== alt) chart.setAttribute('aria-label', alt);
    chart.setAttribute('role', 'img');
    layers.forEach((layer) => layer.setAttribute('aria-hidden', 'true'));
  });
  const watch = () => {
    describe();
    new MutationObserver(describe).observe(document.body, {childList: true, subtree: true});
  };
  if (document.body) watch();  // Gradio may add this script before or after the page is read
  else document.addEventListener('DOMContentLoaded', watch);
})();
