// One file, so that these journeys share a laptop (support/keeping-journey.ts); `-t` picks some by their names.
import './purge-and-undelete.ts';
import './pins-and-freezes.ts';
import './merge.ts';
import './drop-and-expire.ts';
import './collect.ts';
import './verify.ts';
import './beside.ts';
