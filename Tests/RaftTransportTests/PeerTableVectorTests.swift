import Foundation
import StreamMux
import Testing

@testable import RaftTransport

/// `Spec/vectors/dials.json`, whose scenes name their requirements.
@Suite("The peer table does what the vectors say")
struct PeerTableVectorTests {
  struct Vectors: Decodable {
    let scenes: [Scene]
  }

  struct Scene: Decodable {
    enum CodingKeys: String, CodingKey {
      case name
      case own = "self"
      case steps
    }

    let name: String
    let own: String
    let steps: [Step]
  }

  struct Step: Decodable {
    let call: String?
    let dials: String?
    let accepted: String?
    let authenticated: String?
    let established: String?
    let probeEnded: String?
    let closed: String?
    let peer: String?
    let incarnation: UInt64?
    let answered: Bool?
    let expect: [String]?
  }

  /// A table whose connections have the names of a scene.
  private struct Stage {
    var harness: PeerTableHarness
    var names: [UInt64: String] = [:]

    mutating func run(_ step: Step) throws -> [String] {
      if let peer = step.call {
        let outcomes = harness.call(1, ServerID(peer), ServerAddress("\(peer):1"))
        if case .dial(_, _, let link)? = outcomes.first { names[link] = step.dials }
        return said(outcomes)
      }
      if let name = step.accepted {
        names[harness.accepted()] = name
        return []
      }
      if let name = step.authenticated {
        let peer = PeerTableHarness.peer(ServerID(step.peer ?? ""), incarnation: step.incarnation ?? 10)
        return said(harness.authenticated(try link(name), peer))
      }
      if let name = step.established { return said(harness.established(try link(name))) }
      if let name = step.closed { return said(harness.closed(try link(name))) }
      let name = try #require(step.probeEnded, "a step that this test knows")
      return said(harness.probeEnded(try link(name), answered: step.answered == true))
    }

    private func link(_ name: String) throws -> UInt64 {
      try #require(names.first { $0.value == name }?.key, "a connection called \(name)")
    }

    private func said(_ outcomes: [PeerTableHarness.Outcome]) -> [String] {
      func name(_ link: UInt64) -> String { names[link] ?? "?" }
      return outcomes.compactMap { outcome in
        switch outcome {
        case .dial(_, _, let link): "dial \(name(link))"
        case .accept(let link, _): "accept \(name(link))"
        case .refuse(let link, let code, let winner):
          "refuse \(name(link)) \(code)" + (winner.map { " winner \(name($0))" } ?? "")
        case .probe(let link): "probe \(name(link))"
        case .close(let link, let code): "close \(name(link)) \(code)"
        case .resume, .fail, .alarm: nil
        }
      }
    }
  }

  @Test("in every scene")
  func scenes() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let vectors = try JSONDecoder().decode(
      Vectors.self, from: Data(contentsOf: root.appending(path: "Spec/vectors/dials.json")))
    #expect(vectors.scenes.count > 5)
    for scene in vectors.scenes {
      var stage = Stage(harness: PeerTableHarness(ServerID(scene.own)))
      for (number, step) in scene.steps.enumerated() {
        let said = try stage.run(step)
        #expect(said == step.expect ?? [], "\(scene.name), step \(number + 1)")
      }
    }
  }
}
