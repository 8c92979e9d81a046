// Comma-separated values, as RFC 4180 has them.

/**
 * Returns one line. A cell that a spreadsheet would take for a formula gets an apostrophe in front: zones, hosts, notes and
 * names can be anybody's.
 */
export function csvLine(cells: (string | number | undefined)[]): string {
  return cells.map((cell) => {
    let text = cell === undefined ? '' : String(cell)
    if (typeof cell === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }).join(',') + '\r\n'
}

/** Returns the cells of each line, and the number of the line that it begins on. Empty lines are left out. */
export function parseCsv(text: string): { line: number; cells: string[] }[] {
  const records: { line: number; cells: string[] }[] = []
  let cells: string[] = []
  let cell = ''
  let quoted = false
  let line = 1
  let begin = 1
  const endRecord = () => {
    cells.push(cell)
    if (cells.some((c) => c.trim() !== '')) records.push({ line: begin, cells: cells.map((c) => c.trim()) })
    cells = []
    cell = ''
  }
  const source = text.replace(/^\uFEFF/, '')
  for (let n = 0; n < source.length; n++) {
    const c = source[n]!
    if (c === '\n') line++
    if (quoted) {
      if (c !== '"') cell += c
      else if (source[n + 1] === '"') {
        cell += '"'
        n++
      } else quoted = false
    } else if (c === '"' && cell.trim() === '') {
      quoted = true
      cell = ''
    } else if (c === ',') {
      cells.push(cell)
      cell = ''
    } else if (c === '\n') {
      endRecord()
      begin = line
    } else if (c !== '\r') cell += c
  }
  endRecord()
  return records
}

/** Has the browser save a file. */
export function save(name: string, parts: string[], type = 'text/csv;charset=utf-8') {
  const url = URL.createObjectURL(new Blob(parts, { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
