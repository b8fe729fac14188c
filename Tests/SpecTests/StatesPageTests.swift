import Testing

/// The tables of `streams.md` say the same as `states.json`.
@Suite("The states of the halves")
struct StatesPageTests {
  private struct Table: Decodable {
    struct Row: Decodable {
      let half: String
      let state: String
      let event: String
      let next: String
      let action: String
    }
    let rows: [Row]
  }

  /// The columns of the page, as the table calls these events.
  private static let columns: [String: [String: String]] = [
    "sending": ["user resets": "reset", "STOP received": "stopReceived", "rejected": "rejected"],
    "receiving": [
      "DATA received": "data", "FIN received": "fin", "RESET received": "resetReceived", "user stops": "stop",
      "rejected": "rejected",
    ],
  ]

  /// What the page says of a transition.
  private static func words(_ row: Table.Row) -> Set<String> {
    var words: Set<String> = row.next == row.state ? [] : [row.next]
    switch row.action {
    case "none": if row.next == row.state { words.insert("ignored") }
    case "drop": words.insert(row.half == "sending" ? "nothing is sent" : "drop")
    case "sendReset": words.formUnion(["drop what was queued", "send RESET"])
    case "sendResetAndTellOwner": words.formUnion(["drop what was queued", "send RESET with the same code"])
    case "deliver": words.insert("deliver")
    case "tellFinished": words.insert("deliver")
    case "sendStop": words.insert("send STOP")
    case "tellReset": break
    default: words.insert("– (\(row.action.split(separator: ":").last ?? ""))")
    }
    return words
  }

  @Test("On the page and in states.json they are the same", arguments: ["sending", "receiving"])
  func pageAndTableAgree(half: String) throws {
    let rows = try SpecFolder.json("tables/states.json", as: Table.self).rows.filter { $0.half == half }
    let columns = try #require(Self.columns[half])
    let page = try SpecFolder.page("streams.md").rows(withColumns: "\(half) half", "rejected")
    var compared = 0
    for row in rows where columns.values.contains(row.event) {
      let column = try #require(columns.first { $0.value == row.event }?.key)
      let cell = try #require(page.first { $0["\(half) half"] == row.state }?[column])
      var said = Set(cell.split(separator: ", ").map(String.init))
      // What the receiver counts belongs to other pages.
      said.subtract(["budgeted", "count as consumed"])
      #expect(said == Self.words(row), "\(row.state), \(column)")
      compared += 1
    }
    #expect(compared == (half == "sending" ? 4 * 3 : 5 * 5))
    #expect(Set(page.compactMap { $0["\(half) half"] }) == Set(rows.map(\.state)).union(["forgotten"]))
  }
}
