// The button that switches between light, dark and the theme of the system; returns what sets a theme.

const NEXT = { light: "dark", dark: "auto", auto: "light" };
const SYSTEM = matchMedia("(prefers-color-scheme: dark)");

export function themeButton(button, first) {
  const apply = (theme) => {
    const shown = theme === "auto" ? (SYSTEM.matches ? "dark" : "light") : theme;
    document.documentElement.dataset.theme = shown;
    button.dataset.theme = theme;
    button.setAttribute("aria-label", `Theme: ${theme}, switch to ${NEXT[theme]}`);
    button.title = `Theme: ${theme}`;
  };
  button.addEventListener("click", () => apply(NEXT[button.dataset.theme]));
  SYSTEM.addEventListener("change", () => button.dataset.theme === "auto" && apply("auto"));
  apply(first);
  return apply;
}
