"""How the workbench looks: quiet, one accent colour, readable in light and dark; system fonts only.

`launch(theme=theme(), head=HEAD)` takes it.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from apps.shared.folder_box import SCRIPT
from apps.shared.navigation import script
from workbench.neurons.page import style

_STYLES = Path(__file__).with_name("workbench.css")
_SCRIPTS = [
    Path(__file__).parents[1] / name
    for name in (
        "shared/elements.js",
        "shared/charts.js",
        "first_results/first_results.js",
        "shared/visit_file.js",
        "shared/visit.js",
        "tour/tour.js",
        "typographic/stage.js",
        "video/timeline.js",
        "map/map.js",
        "neurons/unit_map.js",
    )
]
SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "DejaVu Sans", "sans-serif")
MONO = ("ui-monospace", "SF Mono", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")

# Contrast of the accent: white on #1d4ed8 is 6.7:1, #0b1220 on #93c5fd is 10:1 (WCAG AA asks for 4.5:1).
ACCENT, ACCENT_HOVER = "#1d4ed8", "#1e40af"
ACCENT_DARK, ACCENT_DARK_HOVER, ON_ACCENT_DARK = "#93c5fd", "#bfdbfe", "#0b1220"

COLOURS = {
    "body_background_fill": "#f8fafc",
    "body_background_fill_dark": "#0b1220",
    "body_text_color": "#0f172a",
    "body_text_color_dark": "#e2e8f0",
    "body_text_color_subdued": "#475569",
    "body_text_color_subdued_dark": "#a8b4c7",
    "block_background_fill": "#ffffff",
    "block_background_fill_dark": "#131c2e",
    "block_border_color": "#dbe2ea",
    "block_border_color_dark": "#2a3650",
    "block_label_text_color": "#334155",
    "block_label_text_color_dark": "#cbd5e1",
    "block_title_text_color": "#0f172a",
    "block_title_text_color_dark": "#e2e8f0",
    "block_info_text_color": "#475569",
    "block_info_text_color_dark": "#a8b4c7",
    "block_shadow": "none",
    "input_background_fill": "#ffffff",
    "input_background_fill_dark": "#0b1220",
    "input_border_width": "1px",
    "input_border_width_dark": "1px",
    "input_border_color": "#94a3b8",
    "input_border_color_dark": "#52607a",
    "input_placeholder_color": "#64748b",
    "input_placeholder_color_dark": "#94a3b8",
    "button_primary_background_fill": ACCENT,
    "button_primary_background_fill_hover": ACCENT_HOVER,
    "button_primary_text_color": "#ffffff",
    "button_primary_background_fill_dark": ACCENT_DARK,
    "button_primary_background_fill_hover_dark": ACCENT_DARK_HOVER,
    "button_primary_text_color_dark": ON_ACCENT_DARK,
    "button_secondary_background_fill": "#e2e8f0",
    "button_secondary_background_fill_hover": "#cbd5e1",
    "button_secondary_text_color": "#0f172a",
    "button_secondary_background_fill_dark": "#24304a",
    "button_secondary_background_fill_hover_dark": "#33415f",
    "button_secondary_text_color_dark": "#e2e8f0",
    "button_cancel_background_fill": "#fee2e2",
    "button_cancel_background_fill_hover": "#fecaca",
    "button_cancel_text_color": "#7f1d1d",
    "button_cancel_background_fill_dark": "#4c1d24",
    "button_cancel_background_fill_hover_dark": "#64252e",
    "button_cancel_text_color_dark": "#fecaca",
    "link_text_color": ACCENT,
    "link_text_color_dark": ACCENT_DARK,
    "slider_color": ACCENT,
    "slider_color_dark": ACCENT_DARK,
    "color_accent": ACCENT,
    "checkbox_background_color_selected": ACCENT,
    "checkbox_background_color_selected_dark": ACCENT,
    "checkbox_label_text_color_selected": "#0f172a",
    "checkbox_label_text_color_selected_dark": "#e2e8f0",
}


def theme() -> gr.themes.Base:
    """Return the theme, with colours that keep AA contrast in both schemes."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.blue,
        secondary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        font=list(SANS),
        font_mono=list(MONO),
    ).set(**COLOURS)


# Elements of class `live` are read out when they change; views are drawn late, so the page is watched for new ones.
HEAD = (
    f"<style>\n{_STYLES.read_text(encoding='utf-8')}{style()}</style>\n"
    + """<script>
(() => {
  const mark = () => document.querySelectorAll('.live:not([aria-live], .live .live)').forEach((element) => {
    element.setAttribute('aria-live', 'polite');
  });
  const watch = () => {
    mark();
    new MutationObserver(mark).observe(document.body, {childList: true, subtree: true});
  };
  if (document.body) watch();  // Gradio may add this script before or after the page is read
  else document.addEventListener('DOMContentLoaded', watch);
})();
</script>"""
    + f"<script>\n{script()}</script>"
    + "".join(f"<script>\n{file.read_text(encoding='utf-8')}</script>" for file in _SCRIPTS)
    + f"<script>\n{SCRIPT}</script>"
)
