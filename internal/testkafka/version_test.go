package testkafka

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVersionsAreCompletedToAPatchRelease(t *testing.T) {
	for asked, want := range map[string]string{"": Version, "4.3": Version, "3.9": "3.9.1", "4.0": "4.0.0", "3.7.2": "3.7.2"} {
		if got, err := FullVersion(asked); err != nil || got != want {
			t.Errorf("FullVersion(%q) = %q, %v; want %q", asked, got, err, want)
		}
	}
	if _, err := FullVersion("latest"); err == nil || !strings.Contains(err.Error(), `"latest"`) {
		t.Errorf("FullVersion(latest) = %v; want an error that names it", err)
	}
}

func TestSameVersionComparesWhatWasAskedFor(t *testing.T) {
	for _, tc := range []struct {
		have, asked string
		same        bool
	}{{"4.3.1", "", true}, {"4.3.1", "4.3", true}, {"4.3.1", "4.3.1", true}, {"4.30.1", "4.3", false}, {"4.3.1", "3.9", false}} {
		if SameVersion(tc.have, tc.asked) != tc.same {
			t.Errorf("SameVersion(%s, %q) = %v", tc.have, tc.asked, !tc.same)
		}
	}
}

func TestJarsOfAnotherVersionArePassedOver(t *testing.T) {
	libs := t.TempDir()
	if err := os.WriteFile(filepath.Join(libs, "kafka_2.13-3.9.1.jar"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	onPath(t, script(t, "java", `echo 'openjdk version "17.0.15"'`))
	t.Setenv("JAVA_HOME", "")
	t.Setenv("KAFKA_LIBS", libs)
	for asked, want := range map[string]string{"": "3.9.1", "3.9": "3.9.1"} {
		if kit, err := FindKitOf(t.Context(), asked); err != nil || kit.Libs != libs || kit.Version != want {
			t.Errorf("FindKitOf(%q) = %+v, %v; want KAFKA_LIBS", asked, kit, err)
		}
	}
	if kit, err := FindKitOf(t.Context(), "3.8"); err == nil {
		t.Errorf("FindKitOf(3.8) = %+v; want an error, since there are only jars of 3.9 and no Maven", kit)
	}
}

func TestOldVersionsLogThroughWhatTheyKnow(t *testing.T) {
	old, err := pomOf("3.9.1")
	if err != nil {
		t.Fatal(err)
	}
	if s := string(old); !strings.Contains(s, "<version>3.9.1</version>") || !strings.Contains(s, "slf4j-reload4j") || strings.Contains(s, "log4j-slf4j-impl") {
		t.Errorf("pom of 3.9.1:\n%s", s)
	}
	now, err := pomOf(Version)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(now); !strings.Contains(s, "<version>"+Version+"</version>") {
		t.Errorf("pom.xml does not ask for %s:\n%s", Version, s)
	}
}
