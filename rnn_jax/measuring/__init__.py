"""What unrolling costs: compile time, run time and memory, side by side with other libraries."""
