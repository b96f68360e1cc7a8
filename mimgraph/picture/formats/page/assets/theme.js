// Light, dark, or as the system has it.

const NEXT = { light: "dark", dark: "auto", auto: "light" };
const SYSTEM = matchMedia("(prefers-color-scheme: dark)");

export function themed(button, first) {
  const apply = (theme) => {
    const shown = theme === "auto" ? (SYSTEM.matches ? "dark" : "light") : theme;
    document.documentElement.dataset.theme = shown;
    button.dataset.theme = theme;
    button.setAttribute("aria-label", `Theme: ${theme}, change to ${NEXT[theme]}`);
    button.title = `Theme: ${theme}`;
  };
  button.addEventListener("click", () => apply(NEXT[button.dataset.theme]));
  SYSTEM.addEventListener("change", () => button.dataset.theme === "auto" && apply("auto"));
  apply(first);
}
