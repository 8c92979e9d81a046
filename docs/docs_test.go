// Package docs_test holds that the documents lead to what there is. What they say of routes, errors, metrics and flags is
// held by the tests of the packages that have these.
package docs_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents returns the paths of all documents, from the top of the repository.
func documents(t *testing.T) (paths []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "packaging/*.md", "packaging/*/*.md", "pkg/console/web/*.md"} {
		found, err := filepath.Glob(filepath.Join("..", pattern))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) < 10 {
		t.Fatalf("%d documents", len(paths))
	}
	return paths
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	source  = regexp.MustCompile("`((?:cmd|pkg|schemas|couchdb-views|docs)/[a-z_/.-]*)`")
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	symbol  = regexp.MustCompile("[^a-z0-9 _-]")
)

// hosts are those that links lead to. Tests do not ask them.
var hosts = map[string]bool{"docs.2600hz.com": true, "github.com": true, "keepachangelog.com": true}

// TestLinks: every link and picture within the repository leads to a file, and to a heading in it if it names one. A
// link to elsewhere is a URL of a known host.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, path := range documents(t) {
		for _, match := range link.FindAllStringSubmatch(read(t, path), -1) {
			file, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(file, "://") {
				if to, err := url.Parse(match[1]); err != nil || to.Scheme != "https" || !hosts[to.Hostname()] {
					t.Errorf("%s: %s is not on a known host: %v", path, match[1], err)
				}
				continue
			}
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s leads nowhere", path, match[1])
			} else if anchor != "" && !anchors(t, target)[anchor] {
				t.Errorf("%s: there is no heading for %s", path, match[1])
			}
		}
	}
}

// TestPicturesAreShown: every picture in docs/console is in a document.
func TestPicturesAreShown(t *testing.T) {
	t.Parallel()
	pictures, err := filepath.Glob("console/*")
	if err != nil || len(pictures) == 0 {
		t.Fatalf("%d pictures, %v", len(pictures), err)
	}
	text := read(t, "console.md")
	for _, path := range pictures {
		if !strings.Contains(text, "]("+path+")") {
			t.Errorf("console.md does not show %s", path)
		}
	}
}

// TestNamedDocuments: documents that source files, help and configuration files name are there, and so are the headings
// that are named with them.
func TestNamedDocuments(t *testing.T) {
	t.Parallel()
	named, kinds := 0, regexp.MustCompile(`\.(go|tsx?|yaml|yml|conf|cfg|env|service|sh|lua|html)$|Makefile|Dockerfile`)
	document := regexp.MustCompile(`\b((?:docs/)?[a-zA-Z-]+\.md)(?:#([a-z0-9-]+))?(?:, "([^"]+)")?`)
	for _, top := range []string{"../cmd", "../packaging", "../pkg", "../Makefile", "../docker-compose.yml", "../Dockerfile"} {
		err := filepath.WalkDir(top, func(path string, entry os.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && (entry.Name() == "testdata" || entry.Name() == "node_modules" || entry.Name() == "dist"):
				return filepath.SkipDir
			case !entry.Type().IsRegular() || !kinds.MatchString(path) || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			for _, match := range document.FindAllStringSubmatch(read(t, path), -1) {
				named++
				checkNamed(t, path, match[1], match[2], match[3])
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if named < 8 {
		t.Errorf("%d documents are named", named)
	}
}

func checkNamed(t *testing.T, path, name, anchor, title string) {
	t.Helper()
	target := strings.TrimPrefix(name, "docs/")
	if _, err := os.Stat(target); err != nil {
		target = "../" + name
	}
	if _, err := os.Stat(target); err != nil {
		t.Errorf("%s names %s, which does not exist", path, name)
	} else if anchor != "" && !anchors(t, target)[anchor] ||
		title != "" && !strings.Contains(read(t, target), "# "+title+"\n") {
		t.Errorf("%s: %s has no heading %s%s", path, name, anchor, title)
	}
}

// code matches a block between fences: a line in it that begins with # is no heading.
var code = regexp.MustCompile("(?ms)^```.*?^```$")

// anchors returns the anchors of the headings of a document, as GitHub makes them.
func anchors(t *testing.T, path string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(code.ReplaceAllString(read(t, path), ""), -1) {
		text := symbol.ReplaceAllString(strings.ToLower(match[1]), "")
		found[strings.ReplaceAll(text, " ", "-")] = true
	}
	return found
}

// TestSourceFiles: every file and folder of the source that a document names exists.
func TestSourceFiles(t *testing.T) {
	t.Parallel()
	named := 0
	for _, path := range documents(t) {
		for _, match := range source.FindAllStringSubmatch(read(t, path), -1) {
			named++
			if _, err := os.Stat(filepath.Join("..", match[1])); err != nil {
				t.Errorf("%s names %s, which does not exist", path, match[1])
			}
		}
	}
	if named < 40 {
		t.Errorf("%d files are named", named)
	}
}

// TestLogTexts: what docs/operations.md says of the log is in the source, so that who searches for a line finds the row, and
// it says what to do about each line with the level error.
func TestLogTexts(t *testing.T) {
	t.Parallel()
	var sources strings.Builder
	for _, top := range []string{"../cmd/junctor", "../pkg"} {
		err := filepath.WalkDir(top, func(path string, _ os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				sources.WriteString(read(t, path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	errorLine := regexp.MustCompile(`(?s)\blog\.Error\(\).{0,400}?Msg\((?:fmt\.Sprintf\()?"([^"]+)"`)
	_, table, _ := strings.Cut(read(t, "operations.md"), "\n### Lines to alert on\n")
	table, _, _ = strings.Cut(table, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (?:error|warn) ").FindAllStringSubmatch(table, -1)
	for _, row := range rows {
		if !strings.Contains(sources.String(), `"`+row[1]) {
			t.Errorf("operations.md: no line of the log begins with %q", row[1])
		}
	}
	lines := errorLine.FindAllStringSubmatch(strings.ReplaceAll(sources.String(), ".Log.", ".log."), -1)
	if len(lines) < 10 {
		t.Errorf("%d lines of the log with the level error", len(lines))
	}
	for _, line := range lines {
		if !slices.ContainsFunc(rows, func(row []string) bool { return strings.HasPrefix(line[1], row[1]) }) {
			t.Errorf("operations.md does not say what to do about %q", line[1])
		}
	}
	quoted := regexp.MustCompile(`The log says "([^"]+)"`).FindAllStringSubmatch(read(t, "operations.md"), -1)
	if len(quoted) == 0 {
		t.Fatal("no line of the log is quoted")
	}
	for _, match := range quoted {
		for part := range strings.SplitSeq(match[1], "…") {
			if !strings.Contains(sources.String(), strings.TrimSpace(part)) {
				t.Errorf("the log does not say %q", part)
			}
		}
	}
}

// TestReadmeIsShort: who has not seen the project reads it to the end.
func TestReadmeIsShort(t *testing.T) {
	t.Parallel()
	if lines := strings.Count(read(t, "../README.md"), "\n"); lines > 150 {
		t.Errorf("README.md has %d lines: put the rest into docs/", lines)
	}
}

// TestPackagesAreNamed: docs/architecture.md says of every package what it is for.
func TestPackagesAreNamed(t *testing.T) {
	t.Parallel()
	_, text, _ := strings.Cut(read(t, "architecture.md"), "\n## Packages\n")
	folders, err := filepath.Glob("../pkg/*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("%d packages, %v", len(folders), err)
	}
	for _, folder := range folders {
		if name := "pkg/" + filepath.Base(folder); !strings.Contains(text, name) {
			t.Errorf("there is no %s", name)
		}
	}
}
