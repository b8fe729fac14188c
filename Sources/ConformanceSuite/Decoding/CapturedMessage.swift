internal import NIOCore
internal import RaftWire

/// A message inside a stream, or a part of one, with its fields for programs and in a line for people.
package struct CapturedMessage: Sendable, Equatable, Encodable {
  /// A field's value.
  package enum Value: Sendable, Equatable, Encodable {
    case flag(Bool)
    case number(UInt64)
    case signed(Int64)
    case text(String)
    case list([[String: Value]])

    package func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .flag(let value): try container.encode(value)
      case .number(let value): try container.encode(value)
      case .signed(let value): try container.encode(value)
      case .text(let value): try container.encode(value)
      case .list(let values): try container.encode(values)
      }
    }
  }

  /// What it is: a request or an answer; bytes behind a request; or something that cannot be read.
  package enum Kind: String, Sendable, Encodable {
    case request, answer, body, chunks, unreadable, unknown
  }

  package var kind: Kind
  /// Where it begins in its direction of the stream, or of the connection where there are no frames.
  package var offset = 0
  /// The RPC by its name in hashicorp/raft; `nil` where it is not known.
  package var rpc: String?
  /// The fields by their names in the messages; of what may be long only the number of bytes.
  package var fields: [String: Value] = [:]
  package var text: String
}

extension RPCType {
  var name: String {
    switch self {
    case .appendEntries: "AppendEntries"
    case .requestVote: "RequestVote"
    case .requestPreVote: "RequestPreVote"
    case .installSnapshot: "InstallSnapshot"
    case .timeoutNow: "TimeoutNow"
    }
  }
}

// MARK: Requests

extension CapturedMessage {
  init(_ command: WireCommand) {
    self.init(kind: .request, rpc: command.rpcType.name, fields: command.fields, text: command.summary)
  }

  init<Response: WireResponse>(
    _ answer: WireAnswer<Response>, to type: RPCType, _ fields: (Response) -> [String: Value],
    summary: (Response) -> String
  ) {
    var all = answer.response.map(fields) ?? [:]
    var parts: [String] = []
    if let error = answer.error, error.readableBytes > 0 {
      let text = printable(String(decoding: error.readableBytesView, as: UTF8.self))
      all["error"] = .text(text)
      parts.append("error “\(text)”")
    }
    parts.append(answer.response.map(summary) ?? "nothing")
    let text = parts.filter { !$0.isEmpty }.joined(separator: ", ")
    self.init(kind: .answer, rpc: type.name, fields: all, text: "answer to \(type): \(text)")
  }
}

extension RPCHeader {
  fileprivate var fields: [String: CapturedMessage.Value] {
    var all: [String: CapturedMessage.Value] = ["ProtocolVersion": .signed(protocolVersion)]
    all.add("ID", id)
    all.add("Addr", address)
    return all
  }
}

extension [String: CapturedMessage.Value] {
  /// Bytes that are a name, as they stand there where they are text, and in hexadecimal where they are not.
  fileprivate mutating func add(_ name: String, _ bytes: ByteBuffer?) {
    guard let bytes else { return }
    let text = String(validating: bytes.readableBytesView, as: UTF8.self)
    self[name] = .text(
      text.map(printable) ?? "0x" + hexadecimal(bytes.readableBytesView).filter { $0 != " " })
  }

  /// Bytes of which only the number is told.
  fileprivate mutating func add(countOf name: String, _ bytes: ByteBuffer?) {
    guard let bytes else { return }
    self["\(name)Bytes"] = .number(UInt64(bytes.readableBytes))
  }

  fileprivate func merging(_ more: Self) -> Self { merging(more) { first, _ in first } }
}

extension WireCommand {
  fileprivate var fields: [String: CapturedMessage.Value] {
    var all: [String: CapturedMessage.Value]
    switch self {
    case .appendEntries(let request):
      all = [
        "Term": .number(request.term), "PrevLogEntry": .number(request.previousLogIndex),
        "PrevLogTerm": .number(request.previousLogTerm),
        "LeaderCommitIndex": .number(request.leaderCommitIndex),
      ].merging(request.header.fields)
      all.add("Leader", request.leader)
      if let entries = request.entries { all["Entries"] = .list(entries.map { $0?.fields ?? [:] }) }
    case .requestVote(let request):
      all = [
        "Term": .number(request.term), "LastLogIndex": .number(request.lastLogIndex),
        "LastLogTerm": .number(request.lastLogTerm), "LeadershipTransfer": .flag(request.leadershipTransfer),
      ].merging(request.header.fields)
      all.add("Candidate", request.candidate)
    case .requestPreVote(let request):
      all = [
        "Term": .number(request.term), "LastLogIndex": .number(request.lastLogIndex),
        "LastLogTerm": .number(request.lastLogTerm),
      ].merging(request.header.fields)
    case .installSnapshot(let request):
      all = [
        "Term": .number(request.term), "LastLogIndex": .number(request.lastLogIndex),
        "LastLogTerm": .number(request.lastLogTerm), "SnapshotVersion": .signed(request.snapshotVersion),
        "ConfigurationIndex": .number(request.configurationIndex), "Size": .signed(request.size),
      ].merging(request.header.fields)
      all.add("Leader", request.leader)
      all.add(countOf: "Peers", request.peers)
      all.add(countOf: "Configuration", request.configuration)
    case .timeoutNow(let request):
      all = request.header.fields
    }
    return all
  }

  /// The request in a line.
  fileprivate var summary: String {
    switch self {
    case .appendEntries(let request):
      let entries = request.entries ?? []
      if entries.isEmpty, request.previousLogIndex == 0, request.previousLogTerm == 0,
        request.leaderCommitIndex == 0
      {
        return "AppendEntries term \(request.term), heartbeat"
      }
      let bytes = entries.reduce(0) { $0 + ($1?.data?.readableBytes ?? 0) }
      return
        "AppendEntries term \(request.term) after \(request.previousLogIndex)/\(request.previousLogTerm): "
        + "\(entries.count) entries, \(bytes) bytes, commit \(request.leaderCommitIndex)"
    case .requestVote(let request):
      return "RequestVote term \(request.term) last \(request.lastLogIndex)/\(request.lastLogTerm)"
        + (request.leadershipTransfer ? ", leadership transfer" : "")
    case .requestPreVote(let request):
      return "RequestPreVote term \(request.term) last \(request.lastLogIndex)/\(request.lastLogTerm)"
    case .installSnapshot(let request):
      return
        "InstallSnapshot term \(request.term) last \(request.lastLogIndex)/\(request.lastLogTerm), \(request.size) bytes"
    case .timeoutNow: return "TimeoutNow"
    }
  }
}

extension LogEntry {
  fileprivate var fields: [String: CapturedMessage.Value] {
    var all: [String: CapturedMessage.Value] = [
      "Index": .number(index), "Term": .number(term), "Type": .number(UInt64(type.rawValue)),
    ]
    all.add(countOf: "Data", data)
    all.add(countOf: "Extensions", extensions)
    return all
  }
}

// MARK: Answers

extension MessageAssembler {
  /// The next answer to a request of this type; `nil` until more has arrived.
  mutating func nextAnswer(to type: RPCType) throws -> CapturedMessage? {
    switch type {
    case .appendEntries:
      try nextAnswer(AppendEntriesResponse.self).map { answer in
        CapturedMessage(answer, to: type) {
          [
            "Term": .number($0.term), "LastLog": .number($0.lastLog), "Success": .flag($0.success),
            "NoRetryBackoff": .flag($0.noRetryBackoff),
          ].merging($0.header.fields)
        } summary: {
          "term \($0.term) last \($0.lastLog) success \($0.success)"
        }
      }
    case .requestVote:
      try nextAnswer(RequestVoteResponse.self).map { answer in
        CapturedMessage(answer, to: type) {
          ["Term": .number($0.term), "Granted": .flag($0.granted)].merging($0.header.fields)
        } summary: {
          "term \($0.term) granted \($0.granted)"
        }
      }
    case .requestPreVote:
      try nextAnswer(RequestPreVoteResponse.self).map { answer in
        CapturedMessage(answer, to: type) {
          ["Term": .number($0.term), "Granted": .flag($0.granted)].merging($0.header.fields)
        } summary: {
          "term \($0.term) granted \($0.granted)"
        }
      }
    case .installSnapshot:
      try nextAnswer(InstallSnapshotResponse.self).map { answer in
        CapturedMessage(answer, to: type) {
          ["Term": .number($0.term), "Success": .flag($0.success)].merging($0.header.fields)
        } summary: {
          "term \($0.term) success \($0.success)"
        }
      }
    case .timeoutNow:
      try nextAnswer(TimeoutNowResponse.self).map { answer in
        CapturedMessage(answer, to: type) {
          $0.header.fields
        } summary: { _ in
          ""
        }
      }
    }
  }
}
