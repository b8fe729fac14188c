internal import NIOCore
internal import RaftTransport

extension TransportSuite {
  private static let texts = [
    "node is not the leader", " leading and trailing ", "100 % of %s, %d and %!v(MISSING)",
    "line one\nline two\r\n",
    "with a \0 in it", "Grüße, 世界 🗳", "\u{FEFF}byte order mark", "nil", "false",
    String(repeating: "long ", count: 2000),
  ]

  static var errorChecks: [Check] {
    [
      Check("A remote error's text arrives untouched") { scene in
        for text in Self.texts {
          async let outcome = scene.outcome { try await scene.append(numbered(1)) }
          try await scene.nextAppend().responder.fail(text)
          let error = try scene.error(
            await outcome, "a call that was answered with an error", codes: [.remote], delivery: [.answered])
          try scene.expect(
            error.remote?.bytes, equals: ByteBuffer(string: text),
            "the bytes of the error \(text.debugDescription)")
          try scene.expect(error.remote?.text, equals: text, "the text")
        }
      },
      Check("Every kind of call can fail with a remote error and a response beside it") { scene in
        for kind in CallKind.allCases {
          async let outcome = scene.outcome {
            try await kind.perform(on: scene.caller, id: scene.id, target: scene.address)
          }
          let rpc = try await scene.next()
          try scene.expect(rpc.kind, equals: kind, "the kind of the RPC")
          rpc.answerWithSample(error: "refused")
          let error = try scene.error(await outcome, kind.rawValue, codes: [.remote], delivery: [.answered])
          try scene.expect(error.remote?.text, equals: "refused", "the text for \(kind.rawValue)")
          try scene.expect(
            error.remote?.response, equals: kind.sampleResponse,
            "the response beside the error of \(kind.rawValue)")
        }
        try await scene.proveAlive("after remote errors")
      },
      Check("An empty error text is still an error") { scene in
        async let outcome = scene.outcome { try await scene.append(numbered(1)) }
        try await scene.nextAppend().responder.fail("")
        let error = try scene.error(
          await outcome, "a call that was answered with an empty error", codes: [.remote],
          delivery: [.answered])
        try scene.expect(error.remote?.text.isEmpty, equals: false, "that the text is empty")
      },
      Check("An RPC that is dropped without an answer answers an error") { scene in
        for kind in CallKind.allCases {
          async let outcome = scene.outcome {
            try await kind.perform(on: scene.caller, id: scene.id, target: scene.address)
          }
          try await scene.drop(kind)
          try scene.error(
            await outcome, "\(kind.rawValue) whose RPC was dropped", codes: [.remote], delivery: [.answered])
        }
        try await scene.proveAlive("after dropped RPCs")
      },
      Check("The first of two answers counts") { scene in
        async let outcome = scene.outcome { try await scene.append(numbered(1)) }
        let received = try await scene.nextAppend()
        try scene.expect(
          received.responder.succeed(AppendEntriesResponse(term: 1)), equals: true,
          "the first answer's result")
        try scene.expect(
          received.responder.succeed(AppendEntriesResponse(term: 2)), equals: false,
          "the second answer's result")
        try scene.expect(received.responder.fail("late"), equals: false, "the third answer's result")
        try scene.expect(scene.value(await outcome, "the call").term, equals: 1, "the answer's term")
        try await scene.proveAlive("after an RPC was answered twice")
      },
    ]
  }
}

extension TransportSuite.Scene {
  /// Takes an RPC and lets it go without an answer.
  fileprivate func drop(_ kind: TransportSuite.CallKind) async throws {
    let rpc = try await self.next()
    try self.expect(rpc.kind, equals: kind, "the kind of the RPC")
  }
}
