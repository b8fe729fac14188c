internal import NIOCore
internal import RaftTransport

extension TransportSuite {
  static let sampleHeader = RPCHeader(
    protocolVersion: 3, id: ByteBuffer(string: "node-a"), address: ByteBuffer(string: "10.0.0.7:8300"))

  static var sampleEntries: [LogEntry?] {
    [
      LogEntry(index: 101, term: 4, type: .noop),
      LogEntry(
        index: 102, term: 4, type: .command, data: ByteBuffer(bytes: Array(0...255)),
        extensions: ByteBuffer(string: "extension")),
      LogEntry(
        index: .max, term: .max, type: .configuration, data: ByteBuffer(string: "configuration"),
        appendedAt: LogTimestamp(unixSeconds: 1_700_000_000, nanoseconds: 123_456_789)),
    ]
  }

  static var callChecks: [Check] {
    [
      Check("AppendEntries arrives whole, and so does its answer") { scene in
        let request = AppendEntriesRequest(
          header: Self.sampleHeader, term: 10, leader: ByteBuffer(string: "10.0.0.7:8300"),
          previousLogIndex: 100, previousLogTerm: 4, entries: Self.sampleEntries, leaderCommitIndex: 90)
        let response = AppendEntriesResponse(
          header: Self.sampleHeader, term: 4, lastLog: 90, success: true, noRetryBackoff: true)
        async let answer = scene.outcome { try await scene.append(request) }
        let received = try await scene.nextAppend()
        try scene.expect(received.request, equals: request, "the request at the callee")
        received.responder.succeed(response)
        try scene.expect(
          scene.value(await answer, "the call"), equals: response, "the answer at the caller")
      },
      Check("RequestVote arrives whole, and so does its answer") { scene in
        let request = RequestVoteRequest(
          header: Self.sampleHeader, term: 20, candidate: ByteBuffer(string: "butters"), lastLogIndex: 100,
          lastLogTerm: 19, leadershipTransfer: true)
        let response = RequestVoteResponse(header: Self.sampleHeader, term: 100, granted: true)
        async let answer = scene.outcome { try await scene.vote(request) }
        let rpc = try await scene.next()
        guard case .requestVote(let received, let responder) = rpc.command else {
          throw Scene.unexpected(rpc, insteadOf: "RequestVote")
        }
        try scene.expect(received, equals: request, "the request at the callee")
        responder.succeed(response)
        try scene.expect(
          scene.value(await answer, "the call"), equals: response, "the answer at the caller")
      },
      Check("RequestPreVote arrives whole, and so does its answer") { scene in
        let request = RequestPreVoteRequest(
          header: Self.sampleHeader, term: 20, lastLogIndex: 100, lastLogTerm: 19)
        let response = RequestPreVoteResponse(header: Self.sampleHeader, term: 100, granted: true)
        async let answer = scene.outcome { try await scene.preVote(request) }
        let rpc = try await scene.next()
        guard case .requestPreVote(let received, let responder) = rpc.command else {
          throw Scene.unexpected(rpc, insteadOf: "RequestPreVote")
        }
        try scene.expect(received, equals: request, "the request at the callee")
        responder.succeed(response)
        try scene.expect(
          scene.value(await answer, "the call"), equals: response, "the answer at the caller")
      },
      Check("TimeoutNow arrives whole, and so does its answer") { scene in
        let request = TimeoutNowRequest(header: Self.sampleHeader)
        let response = TimeoutNowResponse(header: RPCHeader(protocolVersion: 2))
        async let answer = scene.outcome { try await scene.timeoutNow(request) }
        let rpc = try await scene.next()
        guard case .timeoutNow(let received, let responder) = rpc.command else {
          throw Scene.unexpected(rpc, insteadOf: "TimeoutNow")
        }
        try scene.expect(received, equals: request, "the request at the callee")
        responder.succeed(response)
        try scene.expect(
          scene.value(await answer, "the call").header.protocolVersion, equals: 2, "the answer's version")
      },
      Check("Absent and empty values stay distinct", if: \.distinguishesAbsentFromEmpty) { scene in
        let variants: [AppendEntriesRequest] = [
          AppendEntriesRequest(term: 1, leader: nil, previousLogIndex: 1, entries: nil),
          AppendEntriesRequest(term: 1, leader: ByteBuffer(), previousLogIndex: 1, entries: []),
          AppendEntriesRequest(term: 1, previousLogIndex: 1, entries: [nil]),
          AppendEntriesRequest(
            term: 1, previousLogIndex: 1,
            entries: [LogEntry(index: 1, data: nil), LogEntry(data: ByteBuffer())]),
        ]
        for request in variants {
          async let answer = scene.outcome { try await scene.append(request) }
          let received = try await scene.nextAppend()
          try scene.expect(received.request, equals: request, "the request at the callee")
          received.responder.succeed(AppendEntriesResponse())
          try scene.expect(
            scene.value(await answer, "the call"), equals: AppendEntriesResponse(), "the zero answer")
        }
      },
      Check("A large log entry arrives byte for byte") { scene in
        let data = SnapshotPattern.bytes(scene.options.largeEntryBytes)
        let request = AppendEntriesRequest(
          term: 2, previousLogIndex: 1, entries: [LogEntry(index: 2, term: 2, data: data)])
        async let answer = scene.outcome { try await scene.append(request) }
        let received = try await scene.nextAppend()
        try scene.expect(
          received.request == request, "the large request at the callee as it was sent",
          found: "an entry of \(received.request.entries?.first??.data?.readableBytes ?? -1) bytes")
        received.responder.succeed(AppendEntriesResponse(success: true))
        _ = try scene.value(await answer, "the call")
      },
      Check("Calls one after the other work as the first one did") { scene in
        for round in 1...20 as ClosedRange<UInt64> {
          for kind in CallKind.allCases {
            async let answer = scene.outcome {
              try await kind.perform(on: scene.caller, id: scene.id, target: scene.address)
            }
            let rpc = try await scene.next()
            try scene.expect(rpc.kind, equals: kind, "the kind of the RPC in round \(round)")
            if case .installSnapshot(_, let body, _) = rpc.command { _ = try await body.collect(upTo: 3) }
            rpc.answerWithSample()
            let response = try scene.value(await answer, "\(kind.rawValue) in round \(round)")
            try scene.expect(response, equals: kind.sampleResponse, "the answer in round \(round)")
          }
        }
      },
      Check("The origin names the caller's address or none") { scene in
        async let answer = scene.outcome { try await scene.vote(RequestVoteRequest(term: 1)) }
        let rpc = try await scene.next()
        let addresses: [ServerAddress] = ["", scene.caller.localAddress]
        try scene.expect(
          addresses.contains(rpc.origin.address), "an origin at \(addresses[1]) or nowhere",
          found: "\(rpc.origin)")
        rpc.answerWithSample()
        _ = try scene.value(await answer, "the vote")
      },
    ]
  }
}
