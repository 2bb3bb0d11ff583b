#!/usr/bin/env bash
#
# Restores one snapshot of one backup to a local directory, without Rankvault.
#
#   restore-by-hand.sh <bucket> <backup> <snapshot> <target>
#
#   bucket    the vault
#   backup    as in rankvault.config.ts, e.g. prod_system
#   snapshot  a directory (snapshot.2026-01-31.23-59-59), or latest
#   target    a directory; it is made, or must be empty
#
# Needs bash 4.4, the AWS CLI v2, jq, gzip, sha256sum and the other GNU coreutils. Credentials, region and, where the vault is not on
# AWS, AWS_ENDPOINT_URL_S3 are the AWS CLI's own. It reads the vault and never writes to it.
#
# The target gets rank-<n>/<path> for parts of ranks, and <path> for files of no rank: the layout of the root pattern
# rank-{rank}/tom-{tom}. For other patterns, move the directories afterwards. docs/FORMAT.md explains every step.

set -euo pipefail
# Also in $( ), so that no failure inside is passed over.
shopt -s inherit_errexit

FORMAT_VERSION=1
# No path, key or version id holds a control character, so this one separates fields.
FIELD_SEPARATOR=$'\x1f'

main() {
  [[ $# -eq 4 ]] || fail 'usage: restore-by-hand.sh <bucket> <backup> <snapshot|latest> <target directory>'
  bucket=$1 backup=$2 snapshot=$3 target=$4
  [[ $backup =~ ^[A-Za-z][A-Za-z0-9_]{0,62}$ ]] || fail "'$backup' cannot be the name of a backup"
  catalog=.rankvault/catalog/$backup
  scratch=$(mktemp -d)
  # Where a part lies until it is checked: beside its place, because it may be larger than /tmp.
  unchecked=$target/.restore-by-hand.part
  trap 'rm -rf -- "$scratch" "$unchecked"' EXIT
  parts=0 bytes=0

  if [[ $snapshot == latest ]]; then
    snapshot=$(newest_snapshot)
  fi
  fetch_record "$snapshot"
  prepare_target
  fetch_ranks
  while IFS=$FIELD_SEPARATOR read -r rank sha256 <&3; do
    restore_rank "$rank" "$sha256"
  done 3<"$scratch/ranks.fields"
  finish_directories
  check_totals
}

# --- The catalog -----------------------------------------------------------------------------------------------------------------

# The snapshot with the greatest takenAt, then id, among those without a tombstone.
newest_snapshot() {
  local name newest='' newest_order='' order
  names_under tombstones >"$scratch/tombstones"
  names_under snapshots >"$scratch/snapshots"
  while read -r name <&4; do
    if grep -qxF -- "$name" "$scratch/tombstones"; then
      continue
    fi
    fetch "$catalog/snapshots/$name.json" "$scratch/candidate.json"
    check_format_version "$scratch/candidate.json" "the record of $name"
    order=$(jq -r '.takenAt + " " + .id' <"$scratch/candidate.json")
    if [[ $order > $newest_order ]]; then
      newest=$name newest_order=$order
    fi
  done 4<"$scratch/snapshots"
  [[ -n $newest ]] || fail "backup '$backup' has no snapshot in s3://$bucket; check both names"
  printf '%s\n' "$newest"
}

# Names of the objects below a prefix of the catalog, without .json.
names_under() {
  aws s3api list-objects-v2 --bucket "$bucket" --prefix "$catalog/$1/" --output json </dev/null >"$scratch/listing.json"
  jq -r '.Contents[]?.Key | split("/") | last | rtrimstr(".json")' <"$scratch/listing.json"
}

# The record is what makes a snapshot one; a tombstone hides it for ever.
fetch_record() {
  [[ $1 =~ ^snapshot\.[0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{2}-[0-9]{2}-[0-9]{2}$ ]] ||
    fail "'$1' is neither latest nor a directory like snapshot.2026-01-31.23-59-59"
  names_under tombstones >"$scratch/tombstones"
  if grep -qxF -- "$1" "$scratch/tombstones"; then
    fail "$backup/$1 has a tombstone: it was removed and its bytes may be gone; choose another snapshot"
  fi
  names_under snapshots >"$scratch/snapshots"
  grep -qxF -- "$1" "$scratch/snapshots" || fail "backup '$backup' has no snapshot $1 in s3://$bucket"
  fetch "$catalog/snapshots/$1.json" "$scratch/record.json"
  check_format_version "$scratch/record.json" "the record of $1"
  jq -r '"\(.backup)/\(.snapshot): \(.type) of cluster \(.cluster), taken at \(.takenAt), chain \(.chain | join(" "))"' <"$scratch/record.json"
}

# The record names the digest of ranks.jsonl.gz, which names that of each manifest.
fetch_ranks() {
  fetch "$catalog/manifests/$snapshot/ranks.jsonl.gz" "$scratch/ranks.jsonl.gz"
  check_sha256 "$scratch/ranks.jsonl.gz" "$(jq -r .ranksSha256 <"$scratch/record.json")" ranks.jsonl.gz
  gzip -dc "$scratch/ranks.jsonl.gz" >"$scratch/ranks.jsonl"
  check_header "$scratch/ranks.jsonl" ranks.jsonl.gz
  # Ranks are numbers, and "cluster" for files of no rank; their directories are rank-<n> and cluster.
  tail -n +2 "$scratch/ranks.jsonl" |
    jq -r '[(if .rank == "cluster" then "cluster" else "rank-\(.rank)" end), .sha256] | join("\u001f")' >"$scratch/ranks.fields"
}

# --- One rank --------------------------------------------------------------------------------------------------------------------

restore_rank() {
  local rank=$1 sha256=$2 manifest=$scratch/$1.jsonl inside=$1/
  if [[ $rank == cluster ]]; then
    inside=''
  fi
  fetch "$catalog/manifests/$snapshot/$rank.jsonl.gz" "$manifest.gz"
  check_sha256 "$manifest.gz" "$sha256" "$rank.jsonl.gz"
  gzip -dc "$manifest.gz" >"$manifest"
  check_header "$manifest" "$rank.jsonl.gz"
  printf '%s: %s lines\n' "$rank" "$(($(wc -l <"$manifest") - 1))"

  # A line with "directory": true is a directory, its path ends in "/"; every other line is a part. S3 roots have no
  # attributes. A directory with a rank is that rank's own, whatever the root calls it.
  tail -n +2 "$manifest" | jq -r --arg inside "$inside" 'select(.directory) | .attributes as $a
    | [if .rank then "rank-\(.rank)/" else $inside + .path end, $a.mode, $a.uid, $a.gid, $a.mtimeNs] | map(tostring) | join("\u001f")' >"$scratch/directories.fields"
  # A part lies at <backup>/<in>/<rank>/<path>, unless the line has a key of its own.
  tail -n +2 "$manifest" | jq -r --arg inside "$inside" --arg backup "$backup" --arg rank "$rank" 'select(.directory | not)
    | (.attributes // {}) as $a
    | [$inside + .path, .key // "\($backup)/\(.in)/\($rank)/\(.path)", .versionId, .sizeBytes, .checksum,
       $a.mode // "", $a.uid // "", $a.gid // "", $a.mtimeNs // ""] | map(tostring) | join("\u001f")' >"$scratch/parts.fields"

  make_directories
  while IFS=$FIELD_SEPARATOR read -r path key version size checksum mode uid gid mtime_ns <&4; do
    restore_part
  done 4<"$scratch/parts.fields"
}

# Open to us while they are filled; finish_directories gives them their modes and times, the deepest first.
make_directories() {
  local path rest
  while IFS=$FIELD_SEPARATOR read -r path rest <&4; do
    check_path "$path"
    mkdir -p -- "$target/$path"
    printf '%s\n' "$path$FIELD_SEPARATOR$rest" >>"$scratch/all-directories.fields"
  done 4<"$scratch/directories.fields"
}

# One part: the very version that was stored, its size, its checksum, then its name and its attributes.
restore_part() {
  local file=$target/$path stored
  check_path "$path"
  mkdir -p -- "$(dirname -- "$file")"
  fetch "$key" "$unchecked" --version-id="$version" --checksum-mode ENABLED
  [[ $(stat -c %s "$unchecked") == "$size" ]] || fail "$path has $(stat -c %s "$unchecked") bytes, and the manifest says $size"
  # The AWS CLI has compared what came with the checksum that S3 keeps; this compares that one with the manifest's.
  stored=$(jq -r --arg algorithm "${checksum%%:*}" '.["Checksum" + $algorithm] // "none"' <"$scratch/answer.json")
  [[ "${checksum%%:*}:$stored" == "$checksum" ]] || fail "$path has the checksum $stored, and the manifest says $checksum"
  if [[ $checksum == CRC32:* ]]; then
    [[ $(crc32_of "$unchecked") == "${checksum#*:}" ]] || fail "the bytes of $path do not have the checksum $checksum"
  fi
  mv -- "$unchecked" "$file"
  apply_attributes "$file" "$mode" "$uid" "$gid" "$mtime_ns"
  parts=$((parts + 1)) bytes=$((bytes + size))
}

# gzip writes the CRC32 of what it packs, least byte first, before the four bytes of the length; S3 writes it greatest byte first.
crc32_of() {
  local trailer
  read -r -a trailer <<<"$(gzip -1 -c <"$1" | tail -c 8 | od -An -tx1)"
  printf '%b' "\\x${trailer[3]}\\x${trailer[2]}\\x${trailer[1]}\\x${trailer[0]}" | base64
}

# --- Attributes ------------------------------------------------------------------------------------------------------------------

finish_directories() {
  local path mode uid gid mtime_ns
  [[ -e $scratch/all-directories.fields ]] || return 0
  LC_ALL=C sort -r "$scratch/all-directories.fields" >"$scratch/deepest-first.fields"
  while IFS=$FIELD_SEPARATOR read -r path mode uid gid mtime_ns <&4; do
    apply_attributes "$target/$path" "$mode" "$uid" "$gid" "$mtime_ns"
  done 4<"$scratch/deepest-first.fields"
}

# Owners only as root. The owner first, because changing it takes setuid bits away; mode is a decimal number in the manifest.
apply_attributes() {
  local file=$1 mode=$2 uid=$3 gid=$4 mtime_ns=$5 sign
  [[ -n $mtime_ns ]] || return 0
  if [[ $(id -u) == 0 ]]; then
    chown -- "$uid:$gid" "$file"
  fi
  chmod -- "$(printf '%04o' "$mode")" "$file"
  [[ $mtime_ns == -* ]] && sign=- || sign=''
  mtime_ns=${mtime_ns#-}
  touch --no-create --date="@$sign$((mtime_ns / 1000000000)).$(printf '%09d' $((mtime_ns % 1000000000)))" -- "$file"
}

# --- Fetching and checking -------------------------------------------------------------------------------------------------------

# fetch <key> <file> [flags of get-object]; --flag=value, because a version id may begin with a hyphen.
fetch() {
  local key=$1 file=$2
  shift 2
  aws s3api get-object --bucket "$bucket" --key="$key" "$@" --output json "$file" </dev/null >"$scratch/answer.json" ||
    fail "s3://$bucket/$key could not be read"
}

check_format_version() {
  local version
  version=$(jq -r '.formatVersion // "none"' <"$1")
  [[ $version == "$FORMAT_VERSION" ]] ||
    fail "$2 has format version $version, and this script knows $FORMAT_VERSION; use the script of the version that wrote it"
}

# The first line says what the file is.
check_header() {
  head -n 1 "$1" >"$scratch/header.json"
  check_format_version "$scratch/header.json" "$2"
  [[ $(jq -r '.backup + "/" + .snapshot' <"$scratch/header.json") == "$backup/$snapshot" ]] || fail "$2 belongs to another snapshot"
}

check_sha256() {
  local actual
  actual=$(sha256sum <"$1")
  [[ ${actual%% *} == "$2" ]] || fail "$3 has the SHA-256 ${actual%% *}, and $2 was recorded"
}

# Nothing is written outside of the target, whatever a manifest says.
check_path() {
  case "/$1" in
  *//* | */./* | */../* | */. | */..) fail "the manifest has the path '$1'" ;;
  esac
}

prepare_target() {
  mkdir -p -- "$target"
  [[ -z $(ls -A -- "$target") ]] || fail "$target is not empty"
}

check_totals() {
  local wanted
  wanted=$(jq -r '"\(.totals.parts) parts, \(.totals.bytes) bytes"' <"$scratch/record.json")
  [[ "$parts parts, $bytes bytes" == "$wanted" ]] || fail "restored $parts parts, $bytes bytes, and the record says $wanted"
  printf 'restored %s to %s\n' "$wanted" "$target"
}

fail() {
  printf 'restore-by-hand.sh: %s\n' "$1" >&2
  exit 1
}

main "$@"
