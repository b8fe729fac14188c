import Foundation

/// What the process of a single node does: it takes orders on its standard input and answers on its standard output.
struct NodeRole: Sendable {
  let id: String
  let settings: NodeSettings
  let open: OpenTransport

  /// Runs until the parent says so or is gone.
  func run() async {
    await OpenDescriptors.settleRuntime()
    let before = OpenDescriptors.current()
    let (orders, continuation) = AsyncStream.makeStream(of: NodeRequest.self)
    let input = LineReader(.standardInput)
    Thread.detachNewThread {
      input.run { line in
        // A line that is no request is left out: there is no number to answer it with.
        if let request = try? NodeLine.decode(NodeRequest.self, from: line) { continuation.yield(request) }
      }
      continuation.finish()
    }
    let node: DemoNode
    do {
      node = try await DemoNode.start(id: self.id, settings: self.settings, open: self.open)
    } catch {
      self.answer(0, .failed("\(error)"))
      return
    }
    self.answer(0, .listening(address: node.peer.address))
    for await request in orders {
      self.answer(request.number, await self.carryOut(request.order, node, before))
      if request.order == .close { return }
    }
    // The parent is gone: nobody is left to ask.
    await node.close()
  }

  private func carryOut(
    _ order: NodeRequest.Order, _ node: DemoNode, _ before: [Int: String]?
  ) async -> NodeAnswer.Result {
    switch order {
    case .ask(let peers):
      node.askForVotes(.preVotes, of: peers, pause: VotePause.follower)
      return .done
    case .observe:
      return .observation(await node.observe())
    case .finish:
      await node.stopAsking()
      return .observation(await node.observe())
    case .close:
      await node.close()
      let leftovers = await Leftovers.settle(ports: [], processes: [], before: before)
      return .closed(leftOver: leftovers.descriptors)
    }
  }

  private func answer(_ number: Int, _ result: NodeAnswer.Result) {
    // If the parent is gone, the end of the input will say so.
    guard let line = try? NodeLine.encode(NodeAnswer(number: number, result: result)) else { return }
    try? FileHandle.standardOutput.write(contentsOf: line)
  }
}
