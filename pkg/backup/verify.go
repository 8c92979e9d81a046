package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"junctor/pkg/boltfile"
	"junctor/pkg/store/embedded"
)

// Backup is a backup that has been verified.
type Backup struct {
	Manifest
	file  *os.File
	store *io.SectionReader
	small []smallFile
}

// Open opens a backup and verifies all of it: the check sums, the versions, and every page of the store. If it returns
// an error, which says what is wrong with the file, nothing can be restored from the file.
func Open(path string) (*Backup, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b := &Backup{file: file}
	if err := b.verify(); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s can't be restored: %w", path, err)
	}
	return b, nil
}

// Close closes the file.
func (b *Backup) Close() error { return b.file.Close() }

func (b *Backup) verify() error {
	if info, err := b.file.Stat(); err != nil {
		return err
	} else if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file, and has to be read twice")
	}
	if err := b.read(); err != nil {
		return err
	}
	switch {
	case b.Backup > version || b.Format > embedded.FormatVersion:
		return fmt.Errorf("junctor %s has made it, and its format is newer than this junctor: use that one", b.Version)
	case b.Backup < version || b.Format < embedded.OldestFormat:
		return fmt.Errorf("this junctor does not read its format any more: restore it with junctor %s", b.Version)
	case b.Bytes != b.store.Size():
		return fmt.Errorf("its store has %d bytes and should have %d", b.store.Size(), b.Bytes)
	}
	return boltfile.Verify(b.store, b.store.Size())
}

var (
	errForeign = errors.New("it is not a backup of junctor's; a copied junctor.db needs no restore: put it into an " +
		"empty folder")
	errCutOff = errors.New("it is cut off: its end, with the check sums, is missing")
)

// read reads the archive, and compares it with its check sums.
func (b *Backup) read() error {
	members, sums := tar.NewReader(b.file), map[string]string{}
	for n := 0; ; n++ {
		header, err := members.Next()
		switch {
		case err == io.EOF && n > 0, errors.Is(err, io.ErrUnexpectedEOF) && n > 0:
			return errCutOff
		case err != nil && n == 0, n == 0 && header.Name != manifestName:
			return errForeign
		case err != nil:
			return fmt.Errorf("it is damaged: %w", err)
		case header.Name == sumsName:
			return b.compare(members, sums)
		case header.Typeflag != tar.TypeReg || sums[header.Name] != "":
			return fmt.Errorf("it is damaged: it has an unexpected member %q", header.Name)
		}
		offset, err := b.file.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		sum := sha256.New()
		if err := b.member(header, io.TeeReader(members, sum), offset); err != nil {
			return err
		}
		sums[header.Name] = fmt.Sprintf("%x", sum.Sum(nil))
	}
}

// member reads a member that begins at an offset of the file.
func (b *Backup) member(header *tar.Header, content io.Reader, offset int64) error {
	if header.Name == storeName {
		b.store = io.NewSectionReader(b.file, offset, header.Size)
		if _, err := io.Copy(io.Discard, content); err != nil {
			return errCutOff
		}
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(content, maxSmall+1))
	switch {
	case err != nil:
		return errCutOff
	case len(text) > maxSmall:
		return fmt.Errorf("it is damaged: its member %q has %d bytes", header.Name, header.Size)
	case header.Name == manifestName:
		if json.Unmarshal(text, &b.Manifest) != nil || b.Manifest.Backup == 0 {
			return errForeign
		}
	case header.Name == KeyName, header.Name == AdminName:
		b.small = append(b.small, smallFile{header.Name, text})
	default:
		return fmt.Errorf("it is damaged: it has an unexpected member %q", header.Name)
	}
	return nil
}

// compare compares the check sums of the members with those that end the archive.
func (b *Backup) compare(r io.Reader, sums map[string]string) error {
	text, err := io.ReadAll(io.LimitReader(r, maxSmall))
	if err != nil {
		return errCutOff
	}
	listed := 0
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if sums[name] != sum || sum == "" {
			return fmt.Errorf("it is damaged: the check sum of %q is wrong", name)
		}
		listed++
	}
	if listed != len(sums) || b.store == nil {
		return errors.New("it is damaged: check sums or the store are missing")
	}
	return nil
}
