import ConformanceSuite
import Testing

@Suite("The conformance suite itself")
struct SuiteTests {
  @Test("has at least 120 cases, and many for each role")
  func size() {
    #expect(Cases.all.count >= 120)
    #expect(Cases.all.count { $0.subjects.contains(.server) } >= 120)
    #expect(Cases.all.count { $0.subjects.contains(.client) } >= 120)
    let servers = Cases.all.count { $0.subjects.contains(.server) }
    let clients = Cases.all.count { $0.subjects.contains(.client) }
    print("Conformance: \(Cases.all.count) cases, \(servers) for servers, \(clients) for clients")
  }

  @Test("numbers its cases without doubles")
  func ids() {
    #expect(Set(Cases.all.map(\.id)).count == Cases.all.count)
    for (section, cases) in Dictionary(grouping: Cases.all, by: \.section) {
      #expect(cases.map(\.number) == Array(1...cases.count), "\(section)")
      #expect(Set(cases.map(\.title)).count == cases.count, "\(section) has a title twice")
    }
  }

  @Test("cites requirements that exist, at least one in each case")
  func requirements() {
    for item in Cases.all {
      #expect(!item.requirements.isEmpty, "\(item.id)")
      for id in item.requirements { #expect(Requirements.all[id] != nil, "\(item.id) cites \(id)") }
    }
  }
}
