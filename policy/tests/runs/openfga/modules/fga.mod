schema: '1.2'
contents:
- core.fga
- work/project.fga
