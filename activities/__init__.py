"""Side effects. An activity is one outside effect that is safe to repeat, or its docstring says what a repeat costs."""
