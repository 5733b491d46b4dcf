package testkafka

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// Version is the Kafka that runs where no other is asked for: the one in kafka/pom.xml.
const Version = "4.3.1"

// patches are the patch releases of lines that tests name without one; the first of a line elsewhere.
var patches = map[string]string{"3.9": "3.9.1", "4.3": Version}

var versionForm = regexp.MustCompile(`^\d+\.\d+(\.\d+)?$`)

// FullVersion completes a version: 3.9 to its patch release, nothing to Version.
func FullVersion(version string) (string, error) {
	switch {
	case version == "":
		return Version, nil
	case !versionForm.MatchString(version):
		return "", fmt.Errorf("testkafka: %q is no version of Kafka: write it as 3.9 or 3.9.1", version)
	case patches[version] != "":
		return patches[version], nil
	case strings.Count(version, ".") == 1:
		return version + ".0", nil
	}
	return version, nil
}

// SameVersion reports whether one version, as 4.3.1, is what was asked for: nothing, 4.3.1 or 4.3.
func SameVersion(have, asked string) bool {
	return asked == "" || have == asked || strings.HasPrefix(have, asked+".")
}

// versionOf reads the version of Kafka from the name of its jar; empty: there is none.
func versionOf(libs string) string {
	jars, _ := filepath.Glob(filepath.Join(libs, "kafka_*-*.jar")) // the pattern is well-formed
	for _, jar := range jars {
		_, rest, _ := strings.Cut(filepath.Base(jar), "-")
		if version := strings.TrimSuffix(rest, ".jar"); versionForm.MatchString(version) {
			return version
		}
	}
	return ""
}

// pomOf returns what Maven is told. Versions before 4 log through log4j 1.
func pomOf(version string) ([]byte, error) {
	pom, err := files.ReadFile("kafka/pom.xml")
	if err != nil {
		return nil, fmt.Errorf("testkafka: %w", err)
	}
	if version == Version {
		return pom, nil
	}
	pom = bytes.ReplaceAll(pom, []byte(Version), []byte(version))
	if strings.HasPrefix(version, "3.") {
		pom = bytes.ReplaceAll(pom, []byte("org.apache.logging.log4j"), []byte("org.slf4j"))
		pom = bytes.ReplaceAll(pom, []byte("log4j-slf4j-impl"), []byte("slf4j-reload4j"))
		pom = bytes.ReplaceAll(pom, []byte("2.25.1"), []byte("1.7.36"))
	}
	return pom, nil
}
