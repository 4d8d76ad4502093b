import Foundation
import HTTPCommon
import HTTPTypes
import SnapshotDomain
import SnapshotPorts
import SnapshotServices
import TestKit
import Testing

@testable import CloudStackAPI

@Suite("the wire of the query API")
struct WireTests {
    @Test("every refusal of a caller has the same words, and says nothing of the command")
    func unverified() async throws {
        let api = TestAPI()
        for path in [
            "/client/api", "/client/api?command=listZones", "/client/api?apiKey=the-key&command=listZones",
            "/client/api?apiKey=nobody&command=noSuchCommand&signature=x",
        ] {
            let answer = try await api.send(.get, path)
            #expect(answer.status == 401)
            #expect(answer.error == APIFailure.unverified.message)
            #expect(answer.headers[.known("X-Description")] == answer.error)
        }
        #expect(try await api.ask("listZones", secret: "wrong").status == 401)
        #expect(try await api.ask("noSuchCommand", secret: "wrong").status == 401)
    }

    @Test("version 3 of the signature ends when it says, and only that version ends")
    func expiry() async throws {
        let api = TestAPI()
        for (end, status) in [
            ("2020-01-01T00:00:00+0000", 401), ("2020-01-01T00:00:00Z", 401), ("later", 401), ("", 401),
            ("2130-01-01T00:00:00+0000", 200), ("2130-01-01T00:00:00+00:00", 200), ("2130-01-01T00:00:00Z", 200),
        ] {
            #expect(
                try await api.ask("listZones", ["signatureVersion": "3", "expires": end]).status == status,
                "\(end)"
            )
            #expect(try await api.ask("listZones", ["expires": end]).status == 200)
        }
        #expect(try await api.ask("listZones", ["signatureversion": "3"]).status == 401)
    }

    @Test("an unknown command is one, and a parameter sent twice is refused")
    func commands() async throws {
        let api = TestAPI()
        let unknown = try await api.ask("noSuchCommand")
        #expect((unknown.status, unknown.key) == (432, "errorresponse"))
        #expect(try await api.ask("listZones", ["ID": "", "id": ""]).status == 431)
        #expect(try await api.ask("listZones", ["nobodyKnows": "x", "KEYWORD": "loc"]).list("zone").count == 1)
    }

    @Test("paths, methods and sizes that no command has are refused in the same form")
    func addresses() async throws {
        let api = TestAPI()
        #expect(try await api.send(.put, "/client/api?command=listZones").status == 405)
        let unknown = try await api.send(.get, "/client/api/more")
        #expect((unknown.status, unknown.key) == (404, "errorresponse"))
        let large = String(repeating: "x", count: CloudStackRoutes.largestForm + 1)
        #expect(try await api.send(.post, "/client/api?command=listZones", body: large).status == 413)
        #expect(try await api.send(.get, "/client/api/?command=listZones").status == 401)
    }

    @Test("each error of the service has a number, and the number is the status")
    func numbers() async throws {
        struct Failing: StubCloud {
            let code: ServiceError.Code

            func listEnvironments(_ call: CallContext) async throws(ServiceError) -> [SnapshotDomain.Environment] {
                throw ServiceError(code, "Niemand weiß es\nbesser.")
            }
        }
        let wanted: [ServiceError.Code: Int] = [
            .invalidInput: 431, .notFound: 431, .nameTaken: 431, .wrongState: 431, .inUse: 431, .badImage: 431,
            .notAuthenticated: 401, .notAllowed: 531, .limitExceeded: 535, .noSpace: 535, .unavailable: 534,
            .guestFailed: 530, .damaged: 530, .cancelled: 530, .internalError: 530,
        ]
        for code in ServiceError.Code.allCases {
            let answer = try await TestAPI(Failing(code: code)).ask("listProjects")
            #expect(answer.status == wanted[code], "\(code)")
            #expect(answer.body["cserrorcode"] is Int)
            #expect(answer.headers[.known("X-Description")] == "Niemand wei? es?besser.")
        }
    }

    @Test("an empty list is empty, a page past the end has a count, and a list has no third key")
    func lists() async throws {
        struct Volumes: StubCloud {
            let count: Int

            func listVolumes(_ filter: VolumeFilter, order: ListOrder, page: PageRequest, _ call: CallContext)
                async throws(ServiceError) -> CatalogPage<VolumeView>
            {
                let all = (0..<count).map { _ in Sample.volume() }
                return CatalogPage(rows: Array(all.dropFirst(page.offset).prefix(page.limit)), total: count)
            }

            func tags(of resources: [ResourceReference], _ call: CallContext)
                async throws(ServiceError) -> [ResourceReference: [ResourceTag]]
            { [:] }
        }
        #expect(try await TestAPI(Volumes(count: 0)).ask("listVolumes").body.isEmpty)
        let api = TestAPI(Volumes(count: 1_203))
        #expect(try await api.ask("listVolumes").list("volume").count == 500)
        #expect(try await api.ask("listVolumes", ["page": "3", "pagesize": "500"]).list("volume").count == 203)
        #expect(try await api.ask("listVolumes", ["pagesize": "-1"]).list("volume").count == 1_203)
        let past = try await api.ask("listVolumes", ["page": "4", "pagesize": "500"]).body
        #expect(past.count == 1 && past["count"] as? Int == 1_203)
        let everywhere = try await api.ask("listVolumes", ["projectid": "-1", "page": "5", "pagesize": "500"]).body
        #expect(everywhere["count"] as? Int == 2_406)
        #expect((everywhere["volume"] as? [Any])?.count == 406)
        for parameters in [
            ["page": "1"], ["pagesize": "1"], ["page": "0", "pagesize": "1"], ["page": "1", "pagesize": "501"],
            ["page": "1", "pagesize": "-1"], ["page": "x", "pagesize": "1"],
        ] {
            #expect(try await api.ask("listVolumes", parameters).status == 431, "\(parameters)")
        }
    }

    @Test("who asks too much waits, and whoever cannot sign uses up nothing")
    func rate() async throws {
        let time = ManualTime()
        let api = TestAPI(rateLimit: RateLimit(burst: 3, perSecond: 2, time: time))
        for _ in 0..<5 { #expect(try await api.ask("listZones", secret: "wrong").status == 401) }
        for _ in 0..<3 { #expect(try await api.ask("listZones").status == 200) }
        let refused = try await api.ask("listZones")
        #expect((refused.status, refused.key) == (429, "listzonesresponse"))
        #expect(refused.headers[.retryAfter] == "1")
        time.advance(by: .seconds(1))
        for _ in 0..<2 { #expect(try await api.ask("listZones").status == 200) }
        #expect(try await api.ask("listZones").status == 429)
    }

    @Test("dates are written without milliseconds and colon, and read as clients write them")
    func dates() throws {
        #expect(WireDate.text(Sample.instant) == "2027-01-15T08:00:00+0000")
        for text in [
            "2027-01-15T08:00:00+0000", "2027-01-15T08:00:00+00:00", "2027-01-15T08:00:00Z", "2027-01-15T09:00:00+0100",
            "2027-01-15 08:00:00",
        ] {
            #expect(WireDate.instant(text) == Date(timeIntervalSince1970: 1_800_000_000), "\(text)")
        }
        #expect(WireDate.instant("2027-01-15") == Date(timeIntervalSince1970: 1_799_971_200))
        for text in ["", "yesterday", "2027-13-15T08:00:00Z", "1"] { #expect(WireDate.instant(text) == nil, "\(text)") }
    }

    @Test("a receipt is the id of a job that says which line of the log it is")
    func receipts() {
        for line: Int64 in [0, 1, 255, 256, 1 << 40, (1 << 55) - 1] {
            #expect(Receipt(Receipt(line: line).job)?.line == line)
        }
        #expect(Receipt(.random()) == nil)
    }
}
