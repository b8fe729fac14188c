internal import RaftWire

/// A connection of hashicorp/raft's own protocol: requests one way, answers the other, without frames.
struct ClassicCapture: Sendable {
  private let runs: [CaptureFormat.Run]
  private let client: CaptureFormat.Direction

  /// - Returns: `nil` if neither direction begins like a client's.
  init?(_ runs: [CaptureFormat.Run]) {
    let client = [CaptureFormat.Direction.first, .second].first { direction in
      Self.beginsWithRequest(runs.lazy.filter { $0.direction == direction }.flatMap(\.bytes).prefix(2))
    }
    guard let client else { return nil }
    (self.runs, self.client) = (runs, client)
  }

  /// A request is the byte of its type and an object: a map, an array or nil. A frame of RMUX whose type is one of these
  /// numbers has 0 behind it.
  private static func beginsWithRequest(_ bytes: some Sequence<UInt8>) -> Bool {
    let start = Array(bytes)
    guard start.count == 2, start[0] <= 4 else { return false }
    return (0x80...0x9F).contains(start[1]) || start[1] == 0xC0 || (0xDC...0xDF).contains(start[1])
  }

  func decode(_ take: (CaptureEntry) throws -> Void) rethrows {
    // What was asked is needed for the answers, wherever these stand in the capture.
    var scout = MessageStream()
    for run in runs where run.direction == client {
      scout.append(run.bytes)
      _ = scout.requests()
    }
    var (requests, answers) = (MessageStream(), MessageStream())
    for run in runs {
      let isClient = run.direction == client
      var stream = isClient ? requests : answers
      guard !stream.isBroken else { continue }
      stream.append(run.bytes)
      for message in isClient ? stream.requests() : stream.answers(to: scout.kinds) {
        try take(
          CaptureEntry(
            run.direction, offset: message.offset, frame: "message", text: message.text, messages: [message],
            isFault: message.kind == .unreadable))
      }
      if isClient { requests = stream } else { answers = stream }
    }
    for (direction, stream) in [(client, requests), (client == .first ? .second : .first, answers)]
    where stream.pendingBytes > 0 && !stream.isBroken {
      try take(
        CaptureEntry(
          direction, offset: stream.received - stream.pendingBytes, frame: "none",
          text: "\(stream.pendingBytes) bytes of a message that goes on"))
    }
  }
}
