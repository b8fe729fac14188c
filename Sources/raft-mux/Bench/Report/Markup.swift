/// Text for HTML.
enum Markup {
  /// Text as it may stand between tags and in attributes.
  static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.count)
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.append(character)
      }
    }
    return result
  }

  /// An element with content that is markup already.
  static func element(_ name: String, _ attributes: [(String, String)] = [], _ content: String) -> String {
    let attributes = attributes.map { " \($0.0)=\"\(escaped($0.1))\"" }.joined()
    return "<\(name)\(attributes)>\(content)</\(name)>"
  }

  /// An element with text in it.
  static func text(_ name: String, _ attributes: [(String, String)] = [], _ text: String) -> String {
    element(name, attributes, escaped(text))
  }
}
