--
-- What the qualification types are, in words
--
COMMENT ON TYPE bant IS
'answers to budget, authority, need and timeline: ''B+ A? N~ T-'', + yes, ~ partial, ? unknown, - no';

COMMENT ON TYPE meddic IS
'answers to the six elements of MEDDIC: ''M+ E? DC~ DP- I+ C?'', + yes, ~ partial, ? unknown, - no';

COMMENT ON TYPE meddpicc IS
'answers to the eight elements of MEDDPICC: ''M+ E? DC~ DP- PP? I+ C? CO?'', + yes, ~ partial, ? unknown, - no';
