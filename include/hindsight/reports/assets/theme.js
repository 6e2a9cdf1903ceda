// Follows Airflow's own switch between light and dark, which it keeps under "theme"; without it, the system's.
"use strict";
(() => {
  const follow = () => {
    let chosen = null;
    try { chosen = localStorage.getItem("theme"); } catch (_) { /* storage is closed: the system's */ }
    const root = document.documentElement;
    if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen; else delete root.dataset.theme;
    document.dispatchEvent(new Event("theme"));
  };
  follow();
  addEventListener("storage", follow);
})();
