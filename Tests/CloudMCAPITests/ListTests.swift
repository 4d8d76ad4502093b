import Foundation
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import CloudMCAPI
@testable import HTTPCommon

@Suite("Lists")
struct ListTests {
    /// Has many snapshots, and remembers how it was asked for them.
    struct Archive: StubCloud {
        var count: Int
        let asked = Locked<[(filter: SnapshotFilter, order: ListOrder, page: PageRequest)]>([])

        func listSnapshots(_ filter: SnapshotFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
            async throws(ServiceError) -> CatalogPage<SnapshotView>
        {
            asked.change { $0.append((filter, order, page)) }
            let rows = (0..<count).dropFirst(page.offset).prefix(page.limit)
            return CatalogPage(
                rows: rows.map { Sample.snapshot(name: "s\($0)", role: $0.isMultiple(of: 2) ? .root : .data) },
                total: count
            )
        }
    }

    @Test("an empty list has an empty array and a count of zero")
    func empty() async throws {
        let answer = try await TestAPI(Archive(count: 0)).get(TestAPI.path("snapshots"))
        #expect(answer.text == #"{"data":[],"metadata":{"recordCount":0}}"#)
    }

    @Test("without paging a list is whole, however many pages the service needs for it")
    func whole() async throws {
        let archive = Archive(count: 2_345)
        let answer = try await TestAPI(archive).get(TestAPI.path("snapshots"))
        #expect(try answer.list().compactMap { $0["name"] as? String } == (0..<2_345).map { "s\($0)" })
        #expect(archive.asked.value.map(\.page.offset) == [0, 1_000, 2_000])
    }

    @Test("a page says which it is, and how many rows the whole list has")
    func page() async throws {
        let archive = Archive(count: 95)
        let path = TestAPI.path("snapshots?page_number=3&page_size=20&sort_by=name&sort_order=desc")
        let answer = try await TestAPI(archive).get(path)
        #expect(try answer.list().first?["name"] as? String == "s40")
        let metadata = try #require(try answer.json()["metadata"] as? [String: Any])
        #expect(metadata["recordCount"] as? Int == 95)
        #expect(metadata["pageSize"] as? Int == 20)
        #expect(metadata["pageCurrent"] as? Int == 3)
        #expect(metadata["sortField"] as? String == "name")
        #expect(metadata["sortOrder"] as? String == "DESC")
        #expect(archive.asked.value.map(\.page) == [PageRequest(offset: 40, limit: 20)])
        #expect(archive.asked.value.map(\.order) == [ListOrder(.name, descending: true)])
    }

    @Test("paging over what only the API can tell apart pages what is left")
    func refinedPage() async throws {
        let path = TestAPI.path("snapshots?type=DATA&page_size=10&page_number=2")
        let answer = try await TestAPI(Archive(count: 50)).get(path)
        #expect(try answer.list().compactMap { $0["name"] as? String } == (10..<20).map { "s\(2 * $0 + 1)" })
        #expect((try answer.json()["metadata"] as? [String: Any])?["recordCount"] as? Int == 25)
    }

    @Test("filters reach the service")
    func filters() async throws {
        let archive = Archive(count: 1)
        let volume: VolumeID = Sample.id(20)
        let group: SnapshotGroupID = Sample.id(60)
        let query = "volume_id=\(volume)&group_id=\(group)&state=backedup&search=web%2001"
        _ = try await TestAPI(archive).get(TestAPI.path("snapshots?\(query)"))
        let filter = try #require(archive.asked.value.first?.filter)
        #expect(
            filter
                == SnapshotFilter(
                    environment: Sample.production.id,
                    volume: volume,
                    group: group,
                    states: [.available],
                    text: "web 01"
                )
        )
    }

    @Test(
        "parameters that cannot be meant are answered 400 and named",
        arguments: [
            ("snapshots?volume_id=ROOT", "volume_id"), ("snapshots?page_size=many", "page_size"),
            ("snapshots?type=tape", "type"), ("volumes?type=tape", "type"), ("snapshots/deletionPlan", "ids"),
            ("snapshots/deletionPlan?ids=a,b", "ids"),
        ]
    )
    func badParameters(_ path: String, _ field: String) async throws {
        let answer = try await TestAPI().get(TestAPI.path(path))
        #expect(answer.status == 400)
        #expect((try answer.error()["context"] as? [String: Any])?["field"] as? String == field)
    }

    @Test(
        "page numbers far out are harmless",
        arguments: ["page_number=9223372036854775807", "page_number=-5&page_size=-1", "page_size=999999999"]
    )
    func extremes(_ query: String) async throws {
        #expect(try await TestAPI(Archive(count: 3)).get(TestAPI.path("snapshots?\(query)")).status == 200)
    }

    @Test("an order that lists do not have leaves their own")
    func unknownOrder() async throws {
        let archive = Archive(count: 1)
        _ = try await TestAPI(archive).get(TestAPI.path("snapshots?sort_by=colour"))
        #expect(archive.asked.value.map(\.order) == [.newestFirst])
    }
}
