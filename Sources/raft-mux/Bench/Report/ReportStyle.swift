/// How the report looks, on a light and on a dark screen and on paper.
enum ReportStyle {
  static let css = """
    :root {
      --paper: #fbfaf7; --sheet: #ffffff; --ink: #1c2024; --quiet: #667078; --line: #e3e2dc; --grid: #ecebe6;
      --good: #1a7f4b; --good-back: #e0f3e8; --bad: #b3261e; --bad-back: #fbe6e4; --open-back: #eeede8;
      --system-0: #0b62d6; --system-1: #d9480f; --system-2: #8a3ffc; --system-3: #0a8f6c; --system-4: #6b7280;
      --system-5: #b98900;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #14171a; --sheet: #1b1f23; --ink: #e7e9ea; --quiet: #98a2ab; --line: #2d3338; --grid: #272c31;
        --good: #6fd8a0; --good-back: #16382a; --bad: #ff9b92; --bad-back: #452320; --open-back: #2a2f34;
        --system-0: #6aa9ff; --system-1: #ff9a5c; --system-2: #c39bff; --system-3: #4fd1a5; --system-4: #a8b0b8;
        --system-5: #f0c64a;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
      font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
    }
    main { max-width: 1160px; margin: 0 auto; padding: 40px 24px 80px; }
    h1 { font-size: 30px; margin: 0 0 4px; letter-spacing: -0.02em; }
    h2 { font-size: 21px; margin: 52px 0 14px; padding-top: 14px; border-top: 1px solid var(--line); }
    h3 { font: 600 15px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; margin: 0; }
    header p, .about { color: var(--quiet); margin: 0 0 14px; max-width: 74ch; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 16px 0 0; }
    dt { color: var(--quiet); }
    dd { margin: 0; overflow-wrap: anywhere; }
    article {
      background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px;
      margin: 0 0 18px;
    }
    #bars .wide { background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; padding: 8px 14px; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
    th { text-align: left; font-weight: 600; color: var(--quiet); vertical-align: bottom; font-size: 12.5px; }
    th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--grid); }
    tbody tr:last-child td { border-bottom: 0; }
    .number { text-align: right; white-space: nowrap; }
    th.number { white-space: normal; overflow-wrap: anywhere; min-width: 58px; }
    td small { display: block; color: var(--quiet); font-size: 11px; line-height: 1.25; }
    .name { font-family: ui-monospace, "DejaVu Sans Mono", monospace; white-space: nowrap; }
    .quiet { color: var(--quiet); }
    .gap { color: var(--bad); margin: 8px 0 0; font-size: 13.5px; }
    .chip { border-radius: 99px; padding: 2px 10px; font-size: 12px; white-space: nowrap; background: var(--open-back); }
    .chip.good { background: var(--good-back); color: var(--good); }
    .chip.bad { background: var(--bad-back); color: var(--bad); }
    figure { margin: 10px 0 18px; }
    figcaption { font-size: 13px; color: var(--quiet); margin: 0 0 6px; }
    svg { display: block; width: 100%; max-width: 860px; height: auto; }
    svg text { font: 11px system-ui, "DejaVu Sans", sans-serif; fill: var(--quiet); }
    svg .axis { font-size: 11.5px; fill: var(--ink); }
    svg .name { font: 12px ui-monospace, "DejaVu Sans Mono", monospace; fill: var(--ink); }
    svg .value { font-size: 12px; fill: var(--ink); font-variant-numeric: tabular-nums; }
    svg .end { text-anchor: end; }
    svg .middle { text-anchor: middle; }
    svg .grid { stroke: var(--grid); stroke-width: 1; }
    .line path { fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linejoin: round; }
    .line circle { fill: currentColor; }
    .bar rect { fill: currentColor; opacity: 0.85; }
    .bar .range { stroke: var(--ink); stroke-width: 1.4; opacity: 0.7; }
    .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; margin: 0 0 6px; }
    .legend li { font: 12px ui-monospace, "DejaVu Sans Mono", monospace; }
    .legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin-right: 7px;
      vertical-align: middle; background: currentColor; }
    .system-0 { color: var(--system-0); } .system-1 { color: var(--system-1); } .system-2 { color: var(--system-2); }
    .system-3 { color: var(--system-3); } .system-4 { color: var(--system-4); } .system-5 { color: var(--system-5); }
    @media print { body { background: none; } article { break-inside: avoid; } main { max-width: none; } }
    """
}
