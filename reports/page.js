// Shows the figures of the moment under the pointer, and opens every detail
// for print. The page says everything without it, too.
(function () {
  "use strict";
  function words(parts) { return parts.filter(function (p) { return p; }).join(", "); }

  document.querySelectorAll(".chart").forEach(function (chart) {
    var s = JSON.parse(chart.dataset.series);
    var svg = chart.querySelector("svg");
    var cursor = svg.querySelector(".cursor");
    var readout = chart.closest("figure").querySelector(".readout");

    svg.addEventListener("pointermove", function (event) {
      var box = svg.getBoundingClientRect();
      var x = (event.clientX - box.left) * s.width / box.width;
      var inside = x >= s.x0 && x <= s.x1;
      cursor.style.visibility = inside ? "visible" : "hidden";
      if (!inside) { return; }
      cursor.setAttribute("transform", "translate(" + (x - s.x0) + " 0)");
      var bin = Math.floor((x - s.x0) / (s.x1 - s.x0) * s.end / s.bin + 1e-9);
      var outcomes = s.order.map(function (kind) {
        var n = s.counts[kind] && s.counts[kind][bin];
        return n ? kind + " " + n : "";
      });
      var nodes = Object.keys(s.nodes).map(function (node) {
        var n = s.nodes[node];
        var said = words([n[0][bin] && n[0][bin] + " served", n[1][bin] && n[1][bin] + " with a 5xx", n[2][bin] && n[2][bin] + " never answered"]);
        return said && node + ": " + said;
      });
      var from = bin * s.bin;
      readout.textContent = from.toFixed(1) + " to " + (from + s.bin).toFixed(1) + " s: " +
        (words(outcomes) || "no request sent") + "; at the nodes: " + (nodes.filter(Boolean).join("; ") || "nothing");
    });
    svg.addEventListener("pointerleave", function () { cursor.style.visibility = "hidden"; });
  });

  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (d) { d.open = true; });
  });
})();
