"""Reports as files: XLSX, PDF, PPTX, CSV. What makes them is imported when the first is made."""
