# proxychaos with nothing around it. The binary comes from "make build".
FROM scratch
COPY bin/proxychaos /proxychaos
ENTRYPOINT ["/proxychaos"]
