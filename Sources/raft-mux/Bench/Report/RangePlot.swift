/// A bar for each system: as long as the median, with a line from the least to the greatest.
struct RangePlot: Sendable {
  struct Row: Sendable {
    let name: String
    /// The class that has its colour.
    let colour: String
    let spread: Spread
  }

  private static let width = 720.0
  private static let labelWidth = 150.0
  private static let valueWidth = 92.0
  private static let rowHeight = 26.0

  let title: String
  let rows: [Row]

  /// Empty if there is nothing to draw.
  var markup: String {
    guard let greatest = rows.map(\.spread.greatest).max(), greatest > 0 else { return "" }
    let scale = (Self.width - Self.labelWidth - Self.valueWidth) / greatest
    let drawing = rows.enumerated().map { number, row in
      bar(row, top: Double(number) * Self.rowHeight, scale)
    }
    let height = Int(Double(rows.count) * Self.rowHeight)
    return Markup.element(
      "figure", [],
      Markup.text("figcaption", [], title)
        + Markup.element(
          "svg", [("viewBox", "0 0 \(Int(Self.width)) \(height)"), ("role", "img"), ("aria-label", title)],
          drawing.joined()))
  }

  private func bar(_ row: Row, top: Double, _ scale: Double) -> String {
    let middle = Self.text(top + Self.rowHeight / 2)
    let start = Self.labelWidth
    let end = start + row.spread.median * scale
    let least = Self.text(start + row.spread.least * scale)
    let greatest = start + row.spread.greatest * scale
    return Markup.element(
      "g", [("class", "bar \(row.colour)")],
      Markup.text(
        "text", [("class", "name end"), ("x", Self.text(start - 10)), ("y", middle), ("dy", "0.32em")],
        row.name)
        + "<rect x=\"\(Self.text(start))\" y=\"\(Self.text(top + 5))\" rx=\"3\" height=\"\(Self.text(Self.rowHeight - 10))\""
        + " width=\"\(Self.text(max(1.5, end - start)))\"/>"
        + "<path class=\"range\" d=\"M\(least) \(middle)H\(Self.text(greatest))\"/>"
        + Markup.text(
          "text",
          [("class", "value"), ("x", Self.text(max(end, greatest) + 8)), ("y", middle), ("dy", "0.32em")],
          Figure.text(row.spread.median)))
  }

  private static func text(_ value: Double) -> String {
    Figures.fixed(value, digits: 1)
  }
}
