"""The site's pages, made before the site is built: lessons from their own files and recordings, in both languages."""
