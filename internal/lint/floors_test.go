package lint

import (
	"os/exec"
	"strings"
	"testing"
)

// floors is the house, from the ground up:
//
//	  authoring                 waist                         execution
//	kstream ──► ktable ──► [ topology ] ◄── internal/task ◄── millrace (root) ──► txn ──► kgo
//	                            │               │    ▲            └──► kgo, kadm, store/pebblestore
//	                            ▼               ▼    │
//	                  store, serde, window   changelog  kstest ──► store/memstore     (no kgo, no Pebble)
//
// A package may import what its row says, all of which is in earlier rows. An edge is added here with its reason, or not
// at all.
var floors = []Floor{
	// The ground: words everybody uses.
	{"serde", "", "typed values and bytes, nothing else"},
	{"window", "serde", "window arithmetic; serde for the byte formats of windowed keys"},
	{"internal/record", "", "the record inside a task"},
	{"internal/partition", "", "which partition a key goes to, in Kafka's own arithmetic"},
	{"internal/decl", "", "the declaration of a store, shared by those who write it and those who open it"},
	{"internal/wire", "internal/record", "byte formats of what internal topics carry beside plain records"},

	// State.
	{"store", "serde window internal/decl internal/record", "what a store promises; specs are typed by serdes and windowed keys"},
	{"store/internal/arena", "", "memory outside the Go heap"},
	{"store/internal/table", "store/internal/arena", "the state of a task in memory: dirty, committed and clean rows in one structure"},
	{"store/internal/overlay", "store store/internal/arena store/internal/table", "the open transaction over committed rows, the same for every engine"},
	{"store/memstore", "store store/internal/overlay", "rows in memory"},
	{"store/pebblestore", "store store/internal/arena store/internal/overlay", "rows on disk; the only place that knows Pebble"},
	{"store/storetest", "store", "the suite every engine passes; it knows none of them"},
	{"internal/layout", "store internal/decl internal/record", "how rows of each kind of store look in the database and in the changelog; below both that write and those that restore"},
	{"changelog", "store internal/decl internal/layout", "where a store resumes and when it is caught up; does no I/O, and knows no transaction"},

	// The waist.
	{"internal/graph", "internal/decl internal/record store", "the untyped graph both halves meet in; store for the database seam of a task"},
	{"internal/proc", "internal/decl internal/graph internal/record", "what a processor's handle needs of its task"},
	{"internal/topics", "internal/graph internal/record serde", "topics with their types erased"},
	{"internal/rows", "serde store window internal/decl internal/graph internal/layout internal/record internal/topics internal/wire", "typed rows over a task's database; below topology, whose processors are given them"},
	{"topology", "serde store internal/decl internal/graph internal/proc internal/record internal/rows internal/topics", "builder, checks, description: all that authoring and execution share"},

	// Authoring.
	{"internal/dsl", "serde store topology window internal/decl internal/graph internal/partition internal/record internal/rows internal/topics internal/wire", "what the verbs of streams and tables have in common: handles, and the ends of every graph"},
	{"ktable", "serde store topology window internal/decl internal/dsl internal/graph internal/proc internal/record internal/rows internal/topics internal/wire", "tables and their verbs; knows no stream"},
	{"kstream", "ktable serde store topology window internal/decl internal/dsl internal/graph internal/proc internal/record internal/rows internal/topics internal/wire", "streams and their verbs; a table is the fold of a stream, so it may know tables; rows for what joins of streams keep"},

	// Execution.
	{"internal/global", "store topology internal/graph internal/layout internal/record", "a table of which every process holds all: applies its topic, and lets tasks read"},
	{"internal/task", "changelog store topology internal/decl internal/graph internal/layout internal/partition internal/record", "one partition group running one subtopology: a pure machine, without clock, socket or goroutine"},
	{"internal/assign", "", "which process runs which task: a pure function of what the members say"},
	{"internal/statedir", "", "the folder of a process: its lock, its id, where each task's rows are"},
	{"txn", "topology", "the commit protocol; names tasks by their ids, and knows no changelog"},
	{".", "changelog store store/memstore store/pebblestore topology txn internal/assign internal/decl internal/global internal/graph internal/layout internal/partition internal/record internal/statedir internal/task", "the running app: the one place where everything meets"},
	{"kstest", "changelog ktable serde store store/memstore topology window internal/decl internal/global internal/graph internal/layout internal/partition internal/record internal/rows internal/task internal/topics", "a topology on a clock moved by hand, on the task of production; links no client and no database"},

	// Not linked into anybody's program.
	{"internal/testkafka", "", "brokers for our tests, whatever is tested"},
	{"internal/testkafka/cmd/kafka", "internal/testkafka", "a broker that stays, for make kafka-up"},
	{"internal/lint", "", "this"},
	{"internal/wiretest", "store topology internal/decl internal/graph internal/record", "wires a graph in tests of verbs, without a task"},
	{"internal/conformance", "kstest kstream ktable serde store topology window", "recorded behaviour of Kafka Streams, interpreted over the public language alone"},
	{"internal/conformance/cmd/conformance", "internal/conformance", "the recorded cases, for make conformance"},
	{"internal/conformance/cluster", ". internal/conformance topology", "recorded behaviour of Kafka Streams on real brokers, run by the app as users embed it"},
	{"internal/conformance/cmd/cluster", "internal/conformance/cluster internal/testkafka", "the same, for make conformance-cluster"},
	{"internal/metamorphic", ". internal/conformance kstest serde store store/memstore store/pebblestore topology", "random topologies, run in many ways that must commit the same, by the app itself as one of them; Pebble as one of the stores"},
	{"internal/mutants", "", "what happens to the tests when a defence is removed"},
	{"internal/costs", "", "what the test suites cost"},
	{"examples/...", Anything, "programs a user copies"},
	{"bench/...", Anything, "measurements"},
}

// walls keep the two large dependencies where they can be replaced.
var walls = []Wall{
	{
		Dependency: "github.com/twmb/franz-go",
		Why:        "the Kafka client stops at txn and the root package, so that topologies are tested without it",
		Allowed: []Floor{
			{Package: "txn", Why: "drives a transaction"},
			{Package: ".", Why: "fetches, restores, and is a member of the group"},
			{Package: "internal/testkafka/...", Why: "gives brokers to tests"},
			{Package: "examples/...", Why: "feed topics and read them back as any client does"},
			{Package: "internal/conformance/cluster", Why: "feeds recorded cases and reads back what came of them"},
			{Package: "internal/metamorphic", Why: "feeds random cases and reads back what came of them"},
			{Package: "bench/...", Why: "measures the client itself as the ceiling"},
		},
	},
	{
		Dependency: "github.com/cockroachdb/pebble",
		Why:        "Pebble stops at store/pebblestore, so that the engine can be replaced",
		Allowed: []Floor{
			{Package: "store/pebblestore", Why: "is the engine"},
			{Package: "bench/...", Why: "measures the hand-written loop as the ceiling"},
		},
	},
}

func TestFloors(t *testing.T) { report(t, Floors(project(t), floors)) }

func TestWalls(t *testing.T) { report(t, Walls(project(t), walls)) }

// What a user's topology and its unit tests link, also through dependencies of dependencies.
func TestUnitTestsLinkNoClientAndNoDatabase(t *testing.T) {
	for _, pkg := range []string{"topology", "kstream", "ktable", "kstest"} {
		if found := heavy(t, "/"+pkg); len(found) > 0 {
			t.Errorf("%s links %s", pkg, strings.Join(found, ", "))
		}
	}
	if found := heavy(t, ""); len(found) == 0 {
		t.Error("the root package links neither client nor database: this test looks for the wrong paths")
	}
}

// heavy returns what a package links of the client and the database.
func heavy(t *testing.T, pkg string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "github.com/millrace-streams/millrace"+pkg).CombinedOutput()
	if err != nil {
		t.Fatalf("go list -deps: %v\n%s", err, out)
	}
	return Linked(strings.Fields(string(out)), "github.com/twmb/franz-go", "github.com/cockroachdb/pebble")
}
