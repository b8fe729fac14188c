/// Lines over an axis, as SVG whose colours come from the page.
struct LinePlot: Sendable {
  struct Series: Sendable {
    let name: String
    /// The class that has its colour.
    let colour: String
    let points: [(x: Double, y: Double)]
  }

  struct Axis: Sendable {
    let title: String
    let scale: PlotScale.Kind
    let unit: PlotUnit
    /// The values that are named; `nil` leaves that to the scale.
    var ticks: [Double]?
  }

  private static let size = (width: 720.0, height: 300.0)
  private static let frame = (left: 70.0, right: 14.0, top: 26.0, bottom: 44.0)

  let title: String
  let horizontal: Axis
  let vertical: Axis
  let series: [Series]
  /// Whether points are marked: not where there are hundreds of them.
  var marksPoints = true

  /// Empty if there is nothing to draw.
  var markup: String {
    let points = series.flatMap(\.points)
    if points.isEmpty { return "" }
    let x = PlotScale(horizontal.scale, around: points.map(\.x))
    let y = PlotScale(vertical.scale, around: points.map(\.y))
    let drawing = grid(x, y) + series.map { line($0, x, y) }.joined()
    let svg = Markup.element(
      "svg",
      [
        ("viewBox", "0 0 \(Int(Self.size.width)) \(Int(Self.size.height))"), ("role", "img"),
        ("aria-label", title),
      ], drawing)
    return Markup.element(
      "figure", [],
      Markup.text("figcaption", [], title) + Self.legend(series.map { ($0.name, $0.colour) }) + svg)
  }

  static func legend(_ entries: [(name: String, colour: String)]) -> String {
    let items = entries.map {
      Markup.element("li", [("class", $0.colour)], "<i></i>" + Markup.escaped($0.name))
    }
    return Markup.element("ul", [("class", "legend")], items.joined())
  }

  private func left(_ position: Double) -> Double {
    Self.frame.left + position * (Self.size.width - Self.frame.left - Self.frame.right)
  }

  private func top(_ position: Double) -> Double {
    Self.size.height - Self.frame.bottom - position * (Self.size.height - Self.frame.top - Self.frame.bottom)
  }

  private func grid(_ x: PlotScale, _ y: PlotScale) -> String {
    var parts: [String] = []
    for tick in vertical.ticks ?? y.ticks {
      let at = Self.text(top(y.position(tick)))
      parts.append(
        "<line class=\"grid\" x1=\"\(Self.text(left(0)))\" x2=\"\(Self.text(left(1)))\" y1=\"\(at)\" y2=\"\(at)\"/>"
      )
      parts.append(
        Markup.text(
          "text", [("class", "tick end"), ("x", Self.text(left(0) - 8)), ("y", at), ("dy", "0.32em")],
          vertical.unit.text(tick)))
    }
    for tick in horizontal.ticks ?? x.ticks {
      let at = Self.text(left(x.position(tick)))
      parts.append(
        "<line class=\"grid\" y1=\"\(Self.text(top(0)))\" y2=\"\(Self.text(top(1)))\" x1=\"\(at)\" x2=\"\(at)\"/>"
      )
      parts.append(
        Markup.text(
          "text", [("class", "tick middle"), ("x", at), ("y", Self.text(top(0) + 18))],
          horizontal.unit.text(tick)))
    }
    parts.append(
      Markup.text(
        "text",
        [
          ("class", "axis middle"), ("x", Self.text(left(0.5))), ("y", Self.text(Self.size.height - 6)),
        ], horizontal.title))
    parts.append(
      Markup.text("text", [("class", "axis"), ("x", "4"), ("y", "14")], vertical.title))
    return parts.joined()
  }

  private func line(_ series: Series, _ x: PlotScale, _ y: PlotScale) -> String {
    let places = series.points.map { (left(x.position($0.x)), top(y.position($0.y)), $0) }
    let path = places.enumerated().map { number, place in
      "\(number == 0 ? "M" : "L")\(Self.text(place.0)) \(Self.text(place.1))"
    }
    var marks = ""
    if marksPoints {
      marks = places.map { place in
        let about = "\(series.name): \(vertical.unit.text(place.2.y)) at \(horizontal.unit.text(place.2.x))"
        return "<circle cx=\"\(Self.text(place.0))\" cy=\"\(Self.text(place.1))\" r=\"3.2\">"
          + Markup.text("title", [], about) + "</circle>"
      }.joined()
    }
    return Markup.element(
      "g", [("class", "line \(series.colour)")],
      "<path d=\"\(path.joined())\"/>" + marks)
  }

  /// A coordinate.
  private static func text(_ value: Double) -> String {
    Figures.fixed(value, digits: 1)
  }
}
