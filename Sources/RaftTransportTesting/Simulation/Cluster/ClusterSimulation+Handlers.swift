internal import NIOCore
internal import RaftTransport

/// The handlers' side.
extension ClusterSimulation {
  /// Takes what comes, unless the consumer rests.
  func serve(_ server: SimulatedServer, _ transport: MuxTransport) {
    server.start("consuming") { [self] in
      for await rpc in transport.consumer {
        await server.pause(server.consumerRestsUntil - time.now)
        handle(rpc, server)
      }
    }
  }

  func handle(_ rpc: IncomingRPC, _ server: SimulatedServer) {
    switch rpc.command {
    case .appendEntries(let request, let responder):
      let number = request.term
      let size = request.entries?.first??.data?.readableBytes ?? 0
      let kind: SimulatedOperation.Kind =
        rpc.isHeartbeat
        ? .heartbeat : ledger.operations[number]?.pipeline == nil ? .append : .pipelined
      note(number, kind, server)
      if size > 0 {
        let content = SnapshotContent(number: number, size: size, isMonotonous: false)
        if request.entries?.first??.data != content.bytes(size, from: 0) {
          report("#\(number) arrived with other bytes than were sent")
        }
      }
      answer(
        number, responder, server,
        AppendEntriesResponse(term: number &* 31, lastLog: UInt64(size), success: true))
    case .requestVote(let request, let responder):
      note(request.term, .vote, server)
      answer(
        request.term, responder, server, RequestVoteResponse(term: request.term &* 31, granted: true))
    case .requestPreVote(let request, let responder):
      note(request.term, .preVote, server)
      answer(
        request.term, responder, server, RequestPreVoteResponse(term: request.term &* 31, granted: true))
    case .timeoutNow(let request, let responder):
      let number = request.header.id.flatMap { UInt64(String(buffer: $0)) } ?? 0
      note(number, .timeoutNow, server)
      answer(number, responder, server, TimeoutNowResponse(header: request.header))
    case .installSnapshot(let request, let body, let responder):
      note(request.term, .snapshot, server)
      receive(request, body, responder, server)
    }
  }

  private func note(_ number: UInt64, _ kind: SimulatedOperation.Kind, _ server: SimulatedServer) {
    trace.note { "\(server.name) handles \(kind) #\(number)" }
    time.note(number << 32)
    ledger.handled(number, kind, by: server.name, id: server.id)
  }

  /// Answers at once or some time later; rarely with an error, or by forgetting the responder.
  private func answer<Response: Sendable>(
    _ number: UInt64, _ responder: Responder<Response>, _ server: SimulatedServer, _ response: Response
  ) {
    let delay =
      isCalm || random.happens(0.6)
      ? 0 : random.happens(0.05) ? random.duration(upTo: 8_000_000_000) : random.duration(upTo: 200_000_000)
    let choice = isCalm ? 2 : random.next(in: 0...29)
    let respond = { [self] in
      ledger.answered(number, success: choice > 1)
      switch choice {
      case 0: responder.fail("no to #\(number)")
      case 1: break
      default: responder.succeed(response)
      }
    }
    if delay == 0 {
      respond()
    } else {
      server.machine.loop.at(time.now + delay, respond)
    }
  }

  // MARK: Snapshots

  private func receive(
    _ request: InstallSnapshotRequest, _ body: SnapshotBody, _ responder: Responder<InstallSnapshotResponse>,
    _ server: SimulatedServer
  ) {
    let number = request.term
    let content = SnapshotContent(number: number, size: Int(request.size), isMonotonous: number % 2 == 0)
    let refusesAfter = !isCalm && random.happens(0.15) ? random.next(in: 0...content.size) : nil
    let longestPause: Int64 = random.happens(0.3) ? 100_000_000 : 0
    let restore = random.happens(0.3) ? random.duration(upTo: 3_000_000_000) : 0
    server.start("receiving #\(number)") { [self] in
      let isWhole = await read(body, content, refusesAfter, longestPause, server)
      if isWhole { await server.pause(restore) }
      ledger.answered(number, success: isWhole)
      if isWhole {
        responder.succeed(InstallSnapshotResponse(term: number &* 31, success: true))
      } else {
        responder.fail("no to snapshot #\(number)")
      }
    }
  }

  /// - Returns: Whether the body came to its end.
  private func read(
    _ body: SnapshotBody, _ content: SnapshotContent, _ refusesAfter: Int?, _ longestPause: Int64,
    _ server: SimulatedServer
  ) async -> Bool {
    var offset = 0
    do {
      for try await piece in body {
        if offset + piece.readableBytes > content.size {
          report("snapshot #\(content.number) has more bytes than were announced")
          return false
        }
        if piece != content.bytes(piece.readableBytes, from: offset) {
          report("snapshot #\(content.number) has other bytes than were sent, from \(offset) on")
          return false
        }
        offset += piece.readableBytes
        if let refusesAfter, offset >= refusesAfter { return false }
        await server.pause(longestPause > 0 ? random.duration(upTo: longestPause) : 0)
      }
    } catch {
      trace.note { "\(server.name) has \(offset) bytes of snapshot #\(content.number), and then: \(error)" }
      return false
    }
    trace.note { "\(server.name) has the whole snapshot #\(content.number)" }
    if offset != content.size {
      report("snapshot #\(content.number) ended after \(offset) of \(content.size) bytes")
    }
    ledger.update(content.number) { $0.bodyWasWhole = true }
    return true
  }
}
