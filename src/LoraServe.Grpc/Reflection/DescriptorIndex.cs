using System.Reflection;
using Google.Protobuf.Reflection;

namespace LoraServe.Grpc.Reflection;

/// <summary>The proto files of the mapped services with all that they import, by file name, symbol and extension.</summary>
internal sealed class DescriptorIndex
{
    private readonly Dictionary<string, FileDescriptor> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FileDescriptor> _symbols = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedDictionary<int, FileDescriptor>> _extensions = new(StringComparer.Ordinal);

    public DescriptorIndex(IEnumerable<ServiceDescriptor> services)
    {
        foreach (ServiceDescriptor service in services)
        {
            Services.Add(service.FullName);
            Add(service.File);
        }
    }

    /// <summary>The full names of the services.</summary>
    public SortedSet<string> Services { get; } = new(StringComparer.Ordinal);

    /// <summary>The index over the generated static classes of services.</summary>
    public static DescriptorIndex Of(IEnumerable<Type> serviceTypes) =>
        new(serviceTypes
            .Select(type => type.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null))
            .OfType<ServiceDescriptor>());

    public FileDescriptor? FileByName(string name) => _files.GetValueOrDefault(name);

    public FileDescriptor? FileOfSymbol(string fullName) => _symbols.GetValueOrDefault(fullName);

    public FileDescriptor? FileOfExtension(string extendee, int number) =>
        _extensions.TryGetValue(extendee, out SortedDictionary<int, FileDescriptor>? numbers) ? numbers.GetValueOrDefault(number) : null;

    /// <summary>The numbers of the known extensions of a message type; null when the type is not known.</summary>
    public IEnumerable<int>? ExtensionNumbers(string extendee) =>
        _extensions.TryGetValue(extendee, out SortedDictionary<int, FileDescriptor>? numbers) ? numbers.Keys
        : _symbols.ContainsKey(extendee) ? []
        : null;

    /// <summary>A file, then the files that it imports, directly or not, each once.</summary>
    public static IReadOnlyCollection<FileDescriptor> WithImports(FileDescriptor file)
    {
        var files = new OrderedDictionary<string, FileDescriptor> { { file.Name, file } };
        for (int i = 0; i < files.Count; i++)
        {
            foreach (FileDescriptor import in files.GetAt(i).Value.Dependencies)
            {
                files.TryAdd(import.Name, import);
            }
        }

        return files.Values;
    }

    private void Add(FileDescriptor root)
    {
        foreach (FileDescriptor file in WithImports(root))
        {
            if (_files.TryAdd(file.Name, file))
            {
                AddSymbols(file);
            }
        }
    }

    private void AddSymbols(FileDescriptor file)
    {
        foreach (ServiceDescriptor service in file.Services)
        {
            AddSymbol(service);
            AddSymbols(service.Methods);
        }

        foreach (MessageDescriptor message in file.MessageTypes)
        {
            AddMessage(message);
        }

        AddEnums(file.EnumTypes);
        AddExtensions(file.Extensions);
    }

    private void AddMessage(MessageDescriptor message)
    {
        AddSymbol(message);
        AddSymbols(message.Fields.InDeclarationOrder());
        AddSymbols(message.Oneofs);
        AddEnums(message.EnumTypes);
        AddExtensions(message.Extensions);
        foreach (MessageDescriptor nested in message.NestedTypes)
        {
            AddMessage(nested);
        }
    }

    private void AddEnums(IEnumerable<EnumDescriptor> enums)
    {
        foreach (EnumDescriptor type in enums)
        {
            AddSymbol(type);
            foreach (EnumValueDescriptor value in type.Values)
            {
                // Protobuf's names put a value beside its type, not inside.
                _symbols.TryAdd(string.Concat(type.FullName.AsSpan(0, type.FullName.Length - type.Name.Length), value.Name), type.File);
            }
        }
    }

    private void AddExtensions(ExtensionCollection extensions)
    {
        foreach (FieldDescriptor extension in extensions.UnorderedExtensions)
        {
            AddSymbol(extension);
            string extendee = extension.ExtendeeType.FullName;
            if (!_extensions.TryGetValue(extendee, out SortedDictionary<int, FileDescriptor>? numbers))
            {
                _extensions.Add(extendee, numbers = []);
            }

            numbers[extension.FieldNumber] = extension.File;
        }
    }

    private void AddSymbols(IEnumerable<IDescriptor> descriptors)
    {
        foreach (IDescriptor descriptor in descriptors)
        {
            AddSymbol(descriptor);
        }
    }

    private void AddSymbol(IDescriptor descriptor) => _symbols.TryAdd(descriptor.FullName, descriptor.File);
}
