// Before anything is painted: the theme that was chosen, so that no other one flashes up first.

try {
  document.documentElement.dataset.theme = localStorage.getItem("digitlens-colours") ?? "";
} catch {
  // Storage is refused: the system's theme.
}
