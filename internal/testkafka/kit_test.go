package testkafka

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestJavaVersion(t *testing.T) {
	for out, want := range map[string]int{
		`openjdk version "17.0.15" 2025-04-15`:                            17,
		`java version "1.8.0_392"`:                                        8,
		`openjdk version "25" 2025-09-16`:                                 25,
		"Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version \"21.0.1\"": 21,
		"sh: java: not a program":                                         0,
	} {
		if got := javaVersion(out); got != want {
			t.Errorf("javaVersion(%q) = %d; want %d", out, got, want)
		}
	}
}

func TestMachineWithoutJavaIsMissingKafkaNotFailing(t *testing.T) {
	t.Setenv("JAVA_HOME", t.TempDir())
	_, err := FindKit(t.Context())
	if _, ok := errors.AsType[*Missing](err); !ok || !strings.Contains(err.Error(), "install Java 17") {
		t.Errorf("FindKit = %v; want *Missing that names the remedy", err)
	}
}

func TestOldJavaIsMissingKafka(t *testing.T) {
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(script(t, "java", `echo 'openjdk version "11.0.2"' >&2`), filepath.Join(home, "bin", "java")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JAVA_HOME", home)
	_, err := FindKit(t.Context())
	if _, ok := errors.AsType[*Missing](err); !ok || !strings.Contains(err.Error(), "version 11, too old") {
		t.Errorf("FindKit = %v; want *Missing that names the version", err)
	}
}

func TestFolderWithoutJarsIsAMistakeNotAMissingKafka(t *testing.T) {
	onPath(t, script(t, "java", `echo 'openjdk version "17"'`))
	t.Setenv("JAVA_HOME", "")
	t.Setenv("KAFKA_LIBS", t.TempDir())
	_, err := FindKit(t.Context())
	if _, ok := errors.AsType[*Missing](err); ok || err == nil || !strings.Contains(err.Error(), "KAFKA_LIBS") {
		t.Errorf("FindKit = %v; want an error about KAFKA_LIBS that fails tests", err)
	}
}

// maven fetches one jar, and notes each run in the file returned.
func maven(t *testing.T) (runs string) {
	runs = filepath.Join(t.TempDir(), "runs")
	onPath(t, script(t, "mvn", "echo run >>"+runs+"\nmkdir libs && echo jar >libs/kafka_2.13-1.jar\n"))
	return runs
}

func TestJarsAreFetchedOnce(t *testing.T) {
	runs, cache := maven(t), filepath.Join(t.TempDir(), ".kafka")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if libs, err := fetchLibs(t.Context(), cache, Version); err != nil || !holdsKafka(libs) {
				t.Errorf("fetchLibs = %q, %v", libs, err)
			}
		})
	}
	wg.Wait()
	if got := read(t, runs); got != "run\n" {
		t.Errorf("Maven ran %d times for four test processes; want once", strings.Count(got, "run"))
	}
}

func TestJarsOfAnotherVersionAreReplaced(t *testing.T) {
	runs, cache := maven(t), t.TempDir()
	libs, err := fetchLibs(t.Context(), cache, Version)
	if err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(libs, "kafka_2.13-0.jar")
	if err := os.WriteFile(stale, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(libs, "pom.xml"), []byte("<project>of last year</project>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := fetchLibs(t.Context(), cache, Version); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); !errors.Is(err, os.ErrNotExist) || read(t, runs) != "run\nrun\n" {
		t.Errorf("jars of an older pom.xml were used")
	}
}

func TestFailedFetchLeavesNoJarsAndSaysWhy(t *testing.T) {
	onPath(t, script(t, "mvn", "mkdir libs; echo half >libs/kafka_2.13-1.jar; echo '[ERROR] no route to host'; echo '[ERROR] more'; exit 1\n"))
	cache := t.TempDir()
	_, err := fetchLibs(t.Context(), cache, Version)
	if _, ok := errors.AsType[*Missing](err); !ok || !strings.HasSuffix(err.Error(), ": no route to host") {
		t.Errorf("fetchLibs = %v; want *Missing with Maven's first error", err)
	}
	left, err := filepath.Glob(filepath.Join(cache, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 || filepath.Base(left[0]) != "lock" {
		t.Errorf("a failed fetch left %v; want only the lock", left)
	}
}

func TestProjectRootIsFoundFromAPackageFolder(t *testing.T) {
	root, err := projectRoot()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "internal", "testkafka", "kit.go")); err != nil {
		t.Errorf("projectRoot = %s, which does not hold this package", root)
	}
	t.Chdir(t.TempDir())
	if root, err := projectRoot(); err == nil {
		t.Errorf("projectRoot outside the project = %s; want an error", root)
	}
}
