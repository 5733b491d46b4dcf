package testkafka

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

//go:embed kafka
var files embed.FS

// MinJava is the oldest Java that runs a Kafka 4 broker.
const MinJava = 17

// module is the module path, by which the project's root folder is recognised.
const module = "module github.com/millrace-streams/millrace\n"

// A Kit is what it takes to run brokers.
type Kit struct {
	Java    string // program
	Libs    string // folder of Kafka's jars
	Version string // of Kafka, as 4.3.1; empty: Version
}

// Missing says that this machine cannot run Kafka, and what would change that. It is the one reason for which tests of
// real brokers may be left out.
type Missing struct{ Why string }

func (m *Missing) Error() string { return "testkafka: no real Kafka: " + m.Why }

// FindKit looks for Java and Kafka's jars: KAFKA_LIBS, else .kafka/libs in the project, which Maven fills when it is not
// there yet. It fails with *Missing where one of them cannot be had.
func FindKit(ctx context.Context) (Kit, error) { return FindKitOf(ctx, "") }

// FindKitOf is FindKit for one version of Kafka, as 3.9.1, or 3.9 for one of that line; empty is whatever KAFKA_LIBS
// holds, else Version. Jars of KAFKA_LIBS that are of another version are passed over. Outside the project, jars are
// kept in the user's cache folder.
func FindKitOf(ctx context.Context, version string) (Kit, error) {
	java, err := findJava(ctx)
	if err != nil {
		return Kit{}, err
	}
	if libs := os.Getenv("KAFKA_LIBS"); libs != "" {
		have := versionOf(libs)
		if have == "" {
			return Kit{}, fmt.Errorf("testkafka: no kafka_*.jar in %s: set KAFKA_LIBS to a folder with all jars of a broker, or unset it", libs)
		}
		if SameVersion(have, version) {
			return Kit{Java: java, Libs: libs, Version: have}, nil
		}
	}
	full, err := FullVersion(version)
	if err != nil {
		return Kit{}, err
	}
	cache, err := jarCache()
	if err != nil {
		return Kit{}, err
	}
	libs, err := fetchLibs(ctx, cache, full)
	if err != nil {
		return Kit{}, err
	}
	return Kit{Java: java, Libs: libs, Version: full}, nil
}

// jarCache is .kafka in the project; for other programs' tests, a folder of the user's.
func jarCache() (string, error) {
	root, err := projectRoot()
	if err == nil {
		return filepath.Join(root, ".kafka"), nil
	}
	user, cacheErr := os.UserCacheDir()
	if cacheErr != nil {
		return "", &Missing{fmt.Sprintf("nowhere to keep jars (%v): set KAFKA_LIBS", cacheErr)}
	}
	return filepath.Join(user, "millrace", "kafka"), nil
}

// Required reports whether a missing Kafka is a failure: MILLRACE_REQUIRE_KAFKA is set, and not to 0.
func Required() bool {
	v := os.Getenv("MILLRACE_REQUIRE_KAFKA")
	return v != "" && v != "0"
}

func findJava(ctx context.Context) (string, error) {
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	java, err := exec.LookPath(java)
	if err != nil {
		return "", &Missing{fmt.Sprintf("no Java (%v): install Java %d or newer, or set JAVA_HOME or KAFKA_BROKERS", err, MinJava)}
	}
	out, err := exec.CommandContext(ctx, java, "-version").CombinedOutput()
	if err != nil {
		return "", &Missing{fmt.Sprintf("%s -version: %v", java, err)}
	}
	if v := javaVersion(string(out)); v < MinJava {
		return "", &Missing{fmt.Sprintf("%s is version %d, too old: install Java %d or newer, or set JAVA_HOME or KAFKA_BROKERS", java, v, MinJava)}
	}
	return java, nil
}

var versionLine = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// javaVersion reads the feature release from what `java -version` prints: 17 from "17.0.15", 8 from "1.8.0_392", 0 from
// anything else.
func javaVersion(out string) int {
	m := versionLine.FindStringSubmatch(out)
	if m == nil {
		return 0
	}
	v, _ := strconv.Atoi(m[1]) // at worst 0: too old
	return v
}

func holdsKafka(libs string) bool {
	jars, _ := filepath.Glob(filepath.Join(libs, "kafka_*.jar")) // the pattern is well-formed
	return len(jars) > 0
}

// projectRoot walks up from the working directory, which in a test is its package's folder.
func projectRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("testkafka: %w", err)
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if mod, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && bytes.HasPrefix(mod, []byte(module)) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("testkafka: %s is not inside the project: run this from its folder, or set KAFKA_LIBS", start)
		}
	}
}

// fetchLibs returns cache/libs, or cache/libs-VERSION for another version than Version, filled by Maven unless it holds
// what pom.xml asks for already.
func fetchLibs(ctx context.Context, cache, version string) (string, error) {
	name := "libs"
	if version != Version {
		name += "-" + version
	}
	pom, err := pomOf(version)
	if err != nil {
		return "", err
	}
	return kept(filepath.Join(cache, name), "pom.xml", pom, func(work string) (string, error) {
		if err := os.WriteFile(filepath.Join(work, "pom.xml"), pom, 0o644); err != nil {
			return "", fmt.Errorf("testkafka: cannot keep jars: %w", err)
		}
		if err := runMaven(ctx, work, "dependency:copy-dependencies", "-DoutputDirectory=libs", "-DincludeScope=runtime"); err != nil {
			return "", err
		}
		fetched := filepath.Join(work, "libs")
		if !holdsKafka(fetched) {
			return "", errors.New("testkafka: Maven fetched no kafka_*.jar: is kafka/pom.xml whole?")
		}
		return fetched, nil
	})
}

// kept returns a folder that was made from certain sources, which lie in it under the name of mark. If there is none, fill
// makes it: it is given a folder to work in, and returns the one in it to keep. The folder appears whole or not at all; of
// several test processes one makes it and the others wait.
func kept(folder, mark string, sources []byte, fill func(work string) (string, error)) (string, error) {
	cache := filepath.Dir(folder)
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("testkafka: cannot keep jars: %w", err)
	}
	lock, err := lockFile(filepath.Join(cache, "lock"), true)
	if err != nil {
		return "", err
	}
	defer lock.Close()

	// The mark is written last, so a folder that has one is whole.
	if have, err := os.ReadFile(filepath.Join(folder, mark)); err == nil && bytes.Equal(have, sources) {
		return folder, nil
	}
	work, err := os.MkdirTemp(cache, "fetch-")
	if err != nil {
		return "", fmt.Errorf("testkafka: cannot keep jars: %w", err)
	}
	defer os.RemoveAll(work)
	made, err := fill(work)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(made, mark), sources, 0o644); err != nil {
		return "", fmt.Errorf("testkafka: cannot keep jars: %w", err)
	}
	if err := os.RemoveAll(folder); err != nil {
		return "", fmt.Errorf("testkafka: cannot replace old jars: %w", err)
	}
	if err := os.Rename(made, folder); err != nil {
		return "", fmt.Errorf("testkafka: cannot keep jars: %w", err)
	}
	return folder, nil
}

// runMaven runs Maven in a folder. It fails with *Missing where there is none, or where it fails: mostly because it cannot
// reach what it would fetch.
func runMaven(ctx context.Context, dir string, args ...string) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return &Missing{"no jars are kept yet, and there is no Maven to fetch them: install maven, or set KAFKA_LIBS or KAFKA_BROKERS"}
	}
	cmd := exec.CommandContext(ctx, mvn, append([]string{"-q", "-B", "-Dstyle.color=never"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if bytes.Contains(out, []byte("COMPILATION ERROR")) {
		return fmt.Errorf("testkafka: what Maven built does not compile:\n%s", out)
	}
	if err != nil {
		return &Missing{fmt.Sprintf("Maven cannot fetch the jars (%v): %s", err, firstError(string(out)))}
	}
	return nil
}

// firstError returns the line of Maven's output that says what went wrong: the first one marked so.
func firstError(out string) string {
	for line := range strings.Lines(out) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "[ERROR] "); ok {
			return text
		}
	}
	return strings.TrimSpace(out)
}
