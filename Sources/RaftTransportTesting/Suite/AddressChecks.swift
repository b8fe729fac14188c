internal import NIOCore
internal import RaftTransport

extension TransportSuite {
  static var addressChecks: [Check] {
    [
      Check("The local address is set and stays the same") { scene in
        for transport in [scene.caller, scene.callee] {
          let address = transport.localAddress
          try scene.expect(!address.rawValue.isEmpty, "a local address", found: "an empty one")
          try scene.expect(transport.localAddress, equals: address, "the local address, asked again")
        }
        try scene.expect(
          scene.caller.localAddress != scene.callee.localAddress, "two addresses", found: "one for both")
      },
      Check("The callee's local address is where it is reached", if: \.localAddressIsReachable) { scene in
        try scene.expect(scene.callee.localAddress, equals: scene.address, "the callee's local address")
      },
      Check("A peer's address comes back from its encoded form") { scene in
        let addresses: [ServerAddress] = [
          scene.address, "10.0.0.7:8300", "[::1]:8300", "raft-1.example.net:8300",
        ]
        for address in addresses {
          let encoded = scene.caller.encodePeer(id: scene.id, address: address)
          try scene.expect(scene.caller.decodePeer(encoded), equals: address, "the decoded address")
          try scene.expect(
            scene.callee.decodePeer(encoded), equals: address, "the address decoded at the other side")
        }
      },
      Check("A call with an empty ID reaches whoever answers there") { scene in
        async let answer = scene.outcome {
          try await scene.caller.requestVote(id: "", target: scene.address, RequestVoteRequest(term: 1))
        }
        try await scene.next().answerWithSample()
        _ = try scene.value(await answer, "a call with an empty ID")
      },
      Check("A call to another ID than the callee's is refused and not delivered", if: \.checksServerIDs) {
        scene in
        for kind in CallKind.allCases {
          let outcome = await scene.outcome {
            try await kind.perform(on: scene.caller, id: "another-server", target: scene.address)
          }
          try scene.error(
            outcome, "\(kind.rawValue) to another ID", codes: [.wrongServer], delivery: [.notDelivered])
        }
        try await scene.proveAlive("after calls to another ID")
      },
      Check("Calls to an address where nobody answers fail undelivered", if: \.hasUnreachableAddress) {
        scene in
        let address = scene.options.unreachableAddress ?? ""
        for kind in CallKind.allCases {
          let outcome = await scene.outcome {
            try await kind.perform(on: scene.caller, id: "nobody", target: address)
          }
          try scene.error(
            outcome, "\(kind.rawValue) to \(address)", codes: [.unreachable], delivery: [.notDelivered])
        }
        try await scene.proveAlive("after calls to nobody")
      },
      Check("Calls to what is no address fail undelivered", if: \.hasBadAddresses) { scene in
        for address in scene.options.badAddresses {
          let outcome = await scene.outcome {
            try await scene.caller.requestVote(id: "nobody", target: address, RequestVoteRequest())
          }
          try scene.error(
            outcome, "a call to \"\(address)\"", codes: [.badAddress, .unreachable],
            delivery: [.notDelivered])
        }
        try await scene.proveAlive("after calls to bad addresses")
      },
    ]
  }
}
