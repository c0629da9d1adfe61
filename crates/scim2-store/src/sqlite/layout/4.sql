-- The writing thread is the only one that adds unique values, and looks for each of them first, by the primary key.
DROP INDEX attribute_unique;
