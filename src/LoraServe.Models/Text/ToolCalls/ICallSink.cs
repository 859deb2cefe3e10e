namespace LoraServe.Models.Text.ToolCalls;

/// <summary>Takes calls as their syntax is read.</summary>
internal interface ICallSink
{
    /// <summary>Whether a call began and has not ended.</summary>
    bool IsOpen { get; }

    /// <summary>A call begins.</summary>
    void Begin(string name);

    /// <summary>More of its arguments.</summary>
    void Add(char letter);

    /// <summary>It is whole.</summary>
    void End();

    /// <summary>A call that is known whole.</summary>
    void Add(string name, string arguments)
    {
        Begin(name);
        foreach (char letter in arguments)
        {
            Add(letter);
        }

        End();
    }
}
