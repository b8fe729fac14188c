/// The table on a terminal: text only, so that it can be looked at without one.
enum LiveTable {
  private static let headings = [
    "node", "peer", "sockets", "streams e/a/s", "out", "in", "in flight", "window", "RTT", "votes", "p50",
    "p99",
  ]

  /// The whole picture: a heading, a row per peer, and how far log and snapshot have come.
  static func lines(title: String, rows: [PeerRow], progress: [String]) -> [String] {
    var lines = [title]
    lines += self.aligned([self.headings] + rows.map(self.cells))
    for row in rows {
      guard let snapshot = row.snapshot else { continue }
      lines.append("snapshot to \(row.peer)  \(self.bar(snapshot))")
    }
    return lines + progress
  }

  private static func cells(_ row: PeerRow) -> [String] {
    [
      row.node,
      row.peer,
      row.sockets.map { "\($0)" } ?? "?",
      "\(row.electionStreams)/\(row.appendStreams)/\(row.snapshotStreams)",
      Figures.bytes(row.bytesSent),
      Figures.bytes(row.bytesReceived),
      "\(row.callsInFlight)",
      row.window.map { Figures.bytes(UInt64(clamping: $0)) } ?? "-",
      row.roundTripNanoseconds.map { Figures.time(nanoseconds: UInt64(clamping: $0)) } ?? "-",
      Figures.count(row.votes?.answered ?? 0),
      row.votes?.medianNanoseconds.map(Figures.time) ?? "-",
      row.votes?.percentile99Nanoseconds.map(Figures.time) ?? "-",
    ]
  }

  /// Puts cells under each other: names to the left, figures to the right.
  static func aligned(_ rows: [[String]]) -> [String] {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    return rows.map { row in
      row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column < 2 ? cell + padding : padding + cell
      }.joined(separator: "  ")
    }
  }

  /// `[#####-----]  50 %  32.0 MiB of 64.0 MiB, 0.24 of it on the wire`.
  static func bar(_ snapshot: ConnectionObservation.OutgoingSnapshot) -> String {
    let width = 24
    let share = snapshot.size > 0 ? Double(snapshot.plainBytes) / Double(snapshot.size) : 1
    let filled = Int((min(1, max(0, share)) * Double(width)).rounded(.down))
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
    let percent = Figures.fixed(share * 100, digits: 0)
    let plain = Figures.bytes(UInt64(clamping: snapshot.plainBytes))
    let whole = Figures.bytes(UInt64(clamping: snapshot.size))
    let ratio = snapshot.ratio.map { ", ratio \(Figures.fixed($0, digits: 2)) on the wire" } ?? ""
    return "[\(bar)] \(percent) %  \(plain) of \(whole)\(ratio)"
  }

  /// The same as lines that can follow each other in a log: one per peer.
  static func plainLines(seconds: Double, rows: [PeerRow]) -> [String] {
    rows.map { row in
      var parts = [
        "\(row.sockets.map { "\($0)" } ?? "?") socket\(row.sockets == 1 ? "" : "s")",
        "streams \(row.electionStreams)/\(row.appendStreams)/\(row.snapshotStreams)",
        "out \(Figures.bytes(row.bytesSent))",
        "in \(Figures.bytes(row.bytesReceived))",
        "\(row.callsInFlight) in flight",
      ]
      if let window = row.window { parts.append("window \(Figures.bytes(UInt64(clamping: window)))") }
      if let roundTrip = row.roundTripNanoseconds {
        parts.append("RTT \(Figures.time(nanoseconds: UInt64(clamping: roundTrip)))")
      }
      if let votes = row.votes, let median = votes.medianNanoseconds, let late = votes.percentile99Nanoseconds
      {
        parts.append(
          "\(Figures.count(votes.answered)) votes p50 \(Figures.time(nanoseconds: median)) "
            + "p99 \(Figures.time(nanoseconds: late))")
      }
      if let snapshot = row.snapshot { parts.append("snapshot \(self.bar(snapshot))") }
      return "\(Figures.fixed(seconds, digits: 1)) s  \(row.node)/\(row.peer): "
        + parts.joined(separator: ", ")
    }
  }
}
