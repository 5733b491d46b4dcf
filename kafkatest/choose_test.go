package kafkatest

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// verdict is a test that notes how it was ended.
type verdict struct {
	testing.TB
	skipped, failed string
	cleanups        []func()
}

func (v *verdict) Helper()                   {}
func (v *verdict) Name() string              { return "verdict" }
func (v *verdict) Context() context.Context  { return v.TB.Context() }
func (v *verdict) Failed() bool              { return v.failed != "" }
func (v *verdict) Cleanup(f func())          { v.cleanups = append(v.cleanups, f) }
func (v *verdict) Logf(string, ...any)       {}
func (v *verdict) Skip(args ...any)          { v.skipped = fmt.Sprint(args...); runtime.Goexit() }
func (v *verdict) Fatal(args ...any)         { v.failed = fmt.Sprint(args...); runtime.Goexit() }
func (v *verdict) Fatalf(f string, a ...any) { v.failed = fmt.Sprintf(f, a...); runtime.Goexit() }

// judge runs what a test might do, and returns how it ended.
func judge(t *testing.T, test func(t testing.TB)) *verdict {
	t.Helper()
	v, done := &verdict{TB: t}, make(chan struct{})
	go func() { defer close(done); test(v) }()
	<-done
	for _, f := range slices.Backward(v.cleanups) {
		f()
	}
	return v
}

func wantFatal(t *testing.T, v *verdict, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(v.failed, w) {
			t.Errorf("the test ended with %q, skipped %q; want it failed with a word of %q", v.failed, v.skipped, w)
		}
	}
}

func bare(t *testing.T) {
	t.Helper()
	for _, name := range []string{"KAFKA_BROKERS", "KAFKA_IMAGE", "KAFKA_LIBS", "KAFKATEST_WAYS", "JAVA_HOME", "MILLRACE_REQUIRE_KAFKA", "MILLRACE_REQUIRE_CONTAINERS"} {
		t.Setenv(name, "")
	}
	t.Setenv("PATH", t.TempDir()) // no Java
}

func TestKfakeServesWhereNothingElseIs(t *testing.T) {
	bare(t)
	c := Start(t, By(Named, Jars, Fake))
	if c.Way() != Fake || c.Version() != "fake" || len(c.Brokers()) != 1 {
		t.Errorf("%v, %s, %v", c.Way(), c.Version(), c.Brokers())
	}
}

func TestNamedBrokersServeTestsThatAskForNothing(t *testing.T) {
	bare(t)
	t.Setenv("KAFKA_BROKERS", "one:1,two:2")
	c := Start(t)
	if c.Way() != Named || !slices.Equal(c.Brokers(), []string{"one:1", "two:2"}) {
		t.Errorf("%v, %v", c.Way(), c.Brokers())
	}
	for name, fault := range map[string]func(*Cluster){
		"Cut":         func(c *Cluster) { c.Cut(1) },
		"LostAnswers": func(c *Cluster) { c.LostAnswers(1) },
		"Kill":        func(c *Cluster) { c.Kill(1) },
	} {
		wantFatal(t, judge(t, func(t testing.TB) { fault(c.In(t)) }), name, "Faults()")
	}
	if c := Start(t, TLS(), By(Named, Fake)); c.Way() != Fake {
		t.Errorf("a test that asks for TLS got %v", c.Way())
	}
}

func TestNothingToHaveSaysWhatToInstall(t *testing.T) {
	bare(t)
	ask := func(opts ...Option) *verdict {
		return judge(t, func(t testing.TB) { Start(t, append(opts, By(Jars, Fake))...) })
	}
	for name, o := range map[string]Option{
		"a real one": Real(), "processes": Faults(), "a version": Version("3.9"), "a property": Property("a", "b"),
		"names from certificates": both(ACLs(), ClientCertificates()),
	} {
		t.Run(name, func(t *testing.T) {
			wantFatal(t, ask(o), "no Java", "install Java 17 and Maven")
			if v := ask(o, OrSkip()); v.skipped == "" || v.failed != "" {
				t.Errorf("with OrSkip: skipped %q, failed %q", v.skipped, v.failed)
			}
			t.Setenv("MILLRACE_REQUIRE_KAFKA", "1")
			wantFatal(t, ask(o, OrSkip()), "install Java 17 and Maven")
		})
	}
}

func TestMissingContainersFailWhereTheyAreRequired(t *testing.T) {
	bare(t)
	t.Setenv("KAFKA_IMAGE", "nowhere.invalid/kafka:1.2.3") // with an engine or without one
	ask := func() *verdict {
		return judge(t, func(t testing.TB) { Start(t, By(Containers), Version("1.2.3"), OrSkip()) })
	}
	t.Setenv("MILLRACE_REQUIRE_KAFKA", "1") // jars would do for that
	if v := ask(); !strings.Contains(v.skipped, "start a Docker engine") {
		t.Errorf("skipped %q, failed %q; want it skipped with the remedy", v.skipped, v.failed)
	}
	t.Setenv("MILLRACE_REQUIRE_CONTAINERS", "1")
	wantFatal(t, ask(), "start a Docker engine")
}

func TestEnvironmentNarrowsTheWays(t *testing.T) {
	bare(t)
	t.Setenv("KAFKATEST_WAYS", "jars, fake")
	if c := Start(t); c.Way() != Fake {
		t.Errorf("by %v", c.Way())
	}
	wantFatal(t, judge(t, func(t testing.TB) { Start(t, By(Containers)) }), "allow more ways")
	t.Setenv("KAFKATEST_WAYS", "podman")
	wantFatal(t, judge(t, func(t testing.TB) { Start(t) }), `"podman"`, "containers")
}

func TestOptionsThatContradictEachOtherAreRefused(t *testing.T) {
	for _, tc := range []struct {
		opts []Option
		want string
	}{
		{[]Option{Brokers(0)}, "1 to 5"},
		{[]Option{Brokers(6)}, "1 to 5"},
		{[]Option{SCRAM(), ClientCertificates()}, "not both"},
		{[]Option{TLS(), ACLs()}, "need users"},
		{[]Option{Version("latest")}, `"latest"`},
	} {
		wantFatal(t, judge(t, func(t testing.TB) { Start(t, tc.opts...) }), tc.want)
	}
}

func TestFaultsThatAWayCannotMakeSayWhichCan(t *testing.T) {
	c := Start(t, By(Fake), TLS())
	for name, fault := range map[string]func(*Cluster){
		"Kill": func(c *Cluster) { c.Kill(0) }, "Stop": func(c *Cluster) { c.Stop(0) }, "Start": func(c *Cluster) { c.Start(0) },
		"Pause": func(c *Cluster) { c.Pause(0) }, "Unpause": func(c *Cluster) { c.Unpause(0) }, "Restart": func(c *Cluster) { c.Restart(0) },
		"Isolate": func(c *Cluster) { c.Isolate(0) },
	} {
		want := name
		if name == "Restart" {
			want = "Stop"
		}
		wantFatal(t, judge(t, func(t testing.TB) { fault(c.In(t)) }), want, "Faults()", "Java 17", "Docker")
	}
	wantFatal(t, judge(t, func(t testing.TB) { c.In(t).LoseAnswers(0, Answers{To: []kmsg.Key{kmsg.Produce}}) }), "without TLS")
	wantFatal(t, judge(t, func(t testing.TB) { c.In(t).Cut(7) }), "no broker 7")
}

func TestJarsCannotIsolateABroker(t *testing.T) {
	each(t, []Way{Jars}, func(t *testing.T, way Option) {
		c := Start(t, way)
		wantFatal(t, judge(t, func(t testing.TB) { c.In(t).Isolate(1) }), "Docker", "Cut")
		mustStillAnswer(t, c)
	})
}

func TestImagesOfTheVersionAreTried(t *testing.T) {
	for _, tc := range []struct{ named, version, full, want string }{
		{"", "", "4.3.1", "apache/kafka:4.3.1"},
		{"mine/kafka:4.3.1", "", "4.3.1", "mine/kafka:4.3.1"},
		{"mine/kafka:4.3.1", "4.3", "4.3.1", "mine/kafka:4.3.1"},
		{"mine/kafka:4.3.1", "3.9", "3.9.1", "mine/kafka:3.9.1 apache/kafka:3.9.1"},
		{"host:5000/kafka", "3.9", "3.9.1", "host:5000/kafka:3.9.1 apache/kafka:3.9.1"},
		{"host:5000/kafka", "", "4.3.1", "host:5000/kafka"},
	} {
		if got := strings.Join(candidates(tc.named, tc.version, tc.full), " "); got != tc.want {
			t.Errorf("KAFKA_IMAGE=%s, version %q: %s; want %s", tc.named, tc.version, got, tc.want)
		}
	}
}

func TestSettingsBecomeVariablesOfTheImage(t *testing.T) {
	env := environment(map[string]string{"listener.name.client.scram-sha-256.a_b": "v"})
	if env["KAFKA_LISTENER_NAME_CLIENT_SCRAM___SHA___256_A__B"] != "v" {
		t.Errorf("%v", env)
	}
}

// Brokers of the last version before transactions of the second kind.
func TestVersionIsTheOneAskedFor(t *testing.T) {
	each(t, real, func(t *testing.T, way Option) {
		c := Start(t, way, Version("3.9"))
		if c.Version() != "3.9.1" {
			t.Errorf("version %s", c.Version())
		}
		versions, err := c.Admin().ApiVersions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range versions {
			if highest, ok := v.KeyMaxVersion(int16(kmsg.TxnOffsetCommit)); v.Err != nil || !ok || highest != 4 {
				t.Errorf("TxnOffsetCommit up to %d, %v; want 4", highest, v.Err)
			}
		}
		c.CreateTopics(1, "t")
		mustCommit(t, c, "t", "old")
		wantRecords(t, c, "t", "old")
	})
}

// The binary of a service must not grow by what its tests need.
func TestLibraryLinksNoneOfThis(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "./...")
	list.Dir = ".." // the library's own module, all of it
	out, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if s := string(out); strings.Contains(s, "testcontainers") || strings.Contains(s, "moby") || !strings.Contains(s, "franz-go") {
		t.Errorf("the library's module links Testcontainers, or this test looks in the wrong place")
	}
}

func mustStillAnswer(t *testing.T, c *Cluster) {
	t.Helper()
	if err := answers(t, connect(t, c), patience); err != nil {
		t.Errorf("the cluster, to which nothing was done, does not answer: %v", err)
	}
}
