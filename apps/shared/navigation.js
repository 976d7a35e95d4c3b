// The list of views. A click changes the address (#key), the address selects Gradio's tab, and the tab that is selected
// is marked in the list; so links, the back button and "Send to" all take the same way.
(() => {
  const GROUPS = __VIEWS__;
  const views = GROUPS.flatMap((group) => group.views);
  const tab = (key) => document.querySelector(`#views > .tab-wrapper [data-tab-id="${CSS.escape(key)}"]`);
  const asked = () => views.find((view) => view.key === decodeURIComponent(location.hash.slice(1)));
  const make = (name, properties, ...children) => {
    const node = Object.assign(document.createElement(name), properties);
    node.append(...children);
    return node;
  };

  const fill = (place) => {
    const button = make('button', {type: 'button', className: 'menu', textContent: views[0].title});
    const list = make('div', {id: 'views-list', className: 'list'});
    button.setAttribute('aria-controls', list.id);
    const open = (yes) => {
      button.setAttribute('aria-expanded', String(yes));
      list.classList.toggle('open', yes);
    };
    open(false);
    button.addEventListener('click', () => open(button.getAttribute('aria-expanded') !== 'true'));
    place.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape' || button.getAttribute('aria-expanded') !== 'true') return;
      open(false);
      button.focus();
    });
    for (const group of GROUPS) {
      const links = group.views.map((view) => {
        const link = make('a', {href: `#${view.key}`, textContent: view.title});
        link.dataset.view = view.key;
        link.addEventListener('click', (event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;  // a tab or window of its own
          event.preventDefault();  // Gradio's <base> would load the page anew where the address holds settings
          if (link.getAttribute('aria-disabled') === 'true') return;
          open(false);
          location.hash = view.key;
        });
        return make('li', {}, link);
      });
      list.append(make('p', {textContent: group.title}), make('ul', {}, ...links));
    }
    place.append(button, list);
  };

  const mark = (place) => {
    let chosen = null;
    for (const view of views) {
      const at = tab(view.key);
      const link = place.querySelector(`[data-view="${CSS.escape(view.key)}"]`);
      const selected = at && at.getAttribute('aria-selected') === 'true';
      if (selected) chosen = view;
      if (selected) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
      const disabled = String(Boolean(at) && at.getAttribute('aria-disabled') === 'true');
      if (link.getAttribute('aria-disabled') !== disabled) link.setAttribute('aria-disabled', disabled);
    }
    const button = place.querySelector('.menu');
    if (chosen && button.textContent !== chosen.title) button.textContent = chosen.title;
    return chosen;
  };

  const begin = (place) => {
    fill(place);
    const goTo = () => {
      const view = asked() || (location.hash === '' && views[0]);
      if (view && tab(view.key) && tab(view.key).getAttribute('aria-selected') !== 'true') tab(view.key).click();
    };
    goTo();
    let before = mark(place);
    window.addEventListener('hashchange', goTo);
    new MutationObserver(() => {
      const now = mark(place);
      if (!now || now === before) return;
      before = now;
      if (now !== (asked() || views[0])) history.pushState(null, '', `${location.search}#${now.key}`);
      window.scrollTo(0, 0);
    }).observe(document.querySelector('#views > .tab-wrapper'), {subtree: true, attributes: true});
  };

  const waiting = new MutationObserver(() => {
    const sidebar = document.getElementById('sidebar');
    if (!sidebar || !tab(views[0].key)) return;
    waiting.disconnect();
    const place = make('nav', {id: 'navigation', ariaLabel: 'Views'});
    sidebar.prepend(place);
    begin(place);
  });
  const wait = () => waiting.observe(document.body, {childList: true, subtree: true});
  if (document.body) wait();  // Gradio may add this script before or after the page is read
  else document.addEventListener('DOMContentLoaded', wait);
})();
