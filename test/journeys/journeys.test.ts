// One file, so that all journeys share a laptop (support/shared-journey.ts); `-t` picks some by their names.
import './chains-on-s3.ts';
import './chains-in-files.ts';
import './quiesce.ts';
import './restore-policies.ts';
// Last: clients that were told to slow down do so for a while, in real time.
import './interruptions.ts';
